// Every mistake gives one clear line and a non-zero exit, before any work.
#include <gtest/gtest.h>

#include <string>

#include "tests/support/files.h"
#include "tests/support/program.h"

namespace bramble {
namespace {

const std::string kPhotos = test::source_file("photos").string();
// The smallest work that a slip through a check would do.
const std::string kSmall = " --models mobilenetv2_050 --tasks head --size 32 --batch 2 --steps 1 --warmup 0 ";

test::Outcome bench_models(const std::string& arguments) { return test::run_shell(BENCH_MODELS " " + arguments); }

void expect_error(const std::string& arguments, int code, const std::string& message) {
  const test::Outcome outcome = bench_models(arguments);
  EXPECT_EQ(outcome.code, code) << arguments;
  EXPECT_EQ(outcome.lines(), 1U) << outcome.output;
  EXPECT_TRUE(outcome.output.starts_with("bramble: error: ")) << outcome.output;
  EXPECT_NE(outcome.output.find(message), std::string::npos) << outcome.output << "should say: " << message;
}

TEST(BenchModelsErrors, UnknownOptionsAndTasks) {
  expect_error("--frobnicate", 2, "--frobnicate");
  expect_error("--tasks tail", 2, "no task 'tail'; there are train and head");
}

TEST(BenchModelsErrors, UnknownModelNamesTheNearest) {
  expect_error("--models resnet81", 2, "unknown model 'resnet81'; the nearest is 'resnet18'");
  expect_error("--models vit_tiny,mobilnetv2_50", 2, "'mobilenetv2_050'");
}

TEST(BenchModelsErrors, NumbersThatCannotBe) {
  for (const char* option : {"--batch", "--size", "--classes", "--steps", "--threads"}) {
    expect_error(std::string(option) + " 0", 2, option);
    expect_error(std::string(option) + " -3", 2, option);
    expect_error(std::string(option) + " many", 2, option);
  }
  expect_error("--warmup -1", 2, "--warmup");
}

TEST(BenchModelsErrors, ResumeWithoutAFile) { expect_error("--resume", 2, "--resume needs"); }

TEST(BenchModelsErrors, MarkedTasksOfSeveralThreads) {
  expect_error(kSmall + "--mark-tasks --threads 2", 2, "--mark-tasks needs --threads 1");
}

TEST(BenchModelsErrors, SizesThatAModelCannotTake) { expect_error("--models vit_tiny --size 200", 1, "vit_tiny"); }

TEST(BenchModelsErrors, FoldersThatAreNoData) {
  const test::TemporaryFolder folder;
  expect_error(kSmall + "--data /nowhere", 1, "/nowhere: no such folder");
  expect_error(kSmall + "--data " + folder.path().string(), 1, "no class folder in it");
  test::write_whole(folder.path() / "a" / "notes.txt", "");
  expect_error(kSmall + "--data " + folder.path().string(), 1, "/a: class folder without an image (.jpg, .jpeg, .png)");
}

TEST(BenchModelsErrors, MoreClassesThanAllowed) {
  expect_error(kSmall + "--classes 3 --data " + kPhotos, 1, "4 classes, but --classes allows 3");
}

TEST(BenchModelsErrors, ABatchLargerThanTheData) {
  expect_error(kSmall + "--batch 14 --data " + kPhotos, 1, "a batch of 14 is larger than the data: 13 images");
}

TEST(BenchModelsErrors, FilesThatCannotBeWritten) {
  const test::TemporaryFolder folder;
  expect_error(kSmall + "--data " + kPhotos + " --csv /nowhere/a.csv", 1, "/nowhere/a.csv: cannot be written");
  expect_error(kSmall + "--data " + kPhotos + " --json " + folder.path().string(), 1, "not a regular file");
}

TEST(BenchModelsErrors, FilesThatCannotBeResumed) {
  const test::TemporaryFolder folder;
  test::write_whole(folder / "a.csv", "not,ours\n1,2\n");
  expect_error(kSmall + "--resume --csv " + (folder / "a.csv").string(), 1, "its columns are not bench_models'");
  EXPECT_EQ(test::read_whole(folder / "a.csv"), "not,ours\n1,2\n");
  test::write_whole(folder / "a.json", "[{\"model\":");
  expect_error(kSmall + "--resume --json " + (folder / "a.json").string(), 1, "not bench_models' JSON");
}

TEST(BenchModelsErrors, ACacheThatCannotBeWritten) {
  const test::Outcome outcome = test::run_shell("XDG_CACHE_HOME=/dev/null " BENCH_MODELS " " + kSmall);
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.output.find("bramble: error: /dev/null"), std::string::npos) << outcome.output;
}

TEST(BenchModelsErrors, AStandardOutputThatIsFull) {
  const test::Outcome outcome = bench_models("--list > /dev/full");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.output, "bramble: error: standard output cannot be written\n");
}

}  // namespace
}  // namespace bramble
