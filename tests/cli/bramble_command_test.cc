#include <gtest/gtest.h>

#include <string>

#include "tests/support/files.h"
#include "tests/support/program.h"

namespace bramble {
namespace {

test::Outcome run(const std::string& arguments) { return test::run_shell(BRAMBLE " " + arguments); }

void expect_error(const std::string& arguments, int code, const std::string& message) {
  const test::Outcome outcome = run(arguments);
  EXPECT_EQ(outcome.code, code) << arguments;
  EXPECT_EQ(outcome.lines(), 1U) << outcome.output;
  EXPECT_TRUE(outcome.output.starts_with("bramble: error: ")) << outcome.output;
  EXPECT_NE(outcome.output.find(message), std::string::npos) << outcome.output << "should say: " << message;
}

TEST(Bramble, HelpSucceeds) {
  const test::Outcome outcome = run("--help");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_NE(outcome.output.find("parity"), std::string::npos);
}

TEST(Bramble, WrongUsage) {
  expect_error("", 2, "subcommand");
  expect_error("fly", 2, "");
  expect_error("parity", 2, "files");
  expect_error("parity --threads 0 x.json", 2, "--threads");
}

TEST(Bramble, ModelsListsTheRegistry) {
  const test::Outcome table = run("models");
  EXPECT_EQ(table.code, 0);
  EXPECT_NE(table.output.find("vit_tiny_patch16_224"), std::string::npos) << table.output;
  const test::Outcome json = run("models --json");
  EXPECT_EQ(json.code, 0);
  EXPECT_NE(json.output.find("\"parameters\": 11689512"), std::string::npos) << json.output;
}

TEST(Bramble, GoldensThatAreNone) {
  const test::TemporaryFolder folder;
  const std::string file = (folder / "x.json").string();
  expect_error("parity /nowhere.json", 1, "/nowhere.json: No such file or directory");
  test::write_whole(file, "{\"model\": ");
  expect_error("parity " + file, 1, "x.json: malformed golden");
  test::write_whole(file, "{\"model\": \"resnet18\"}");
  expect_error("parity " + file, 1, "x.json: incomplete golden: \"timm\" is missing");
}

TEST(Bramble, AGoldenForAnUnknownModelIsNamed) {
  const test::TemporaryFolder folder;
  std::string golden = test::read_whole(test::source_file("golden/resnet18.json"));
  golden.replace(golden.find("\"resnet18\""), 10, "\"resnet99\"");
  test::write_whole(folder / "x.json", golden);
  expect_error("parity " + (folder / "x.json").string(), 1, "x.json: unknown model 'resnet99'");
}

TEST(Bramble, DumpNeverOverwritesItsGolden) {
  const std::string golden = test::source_file("golden/resnet18.json").string();
  expect_error("parity --dump " + test::source_file("golden").string() + " " + golden, 2, "--dump would overwrite");
  expect_error("parity --dump /dev/null/x " + golden, 1, "/dev/null/x: cannot be made");
}

}  // namespace
}  // namespace bramble
