// Short real benchmarks.
#include <gtest/gtest.h>

#include <string>

#include "tests/support/files.h"
#include "tests/support/program.h"

namespace bramble {
namespace {

namespace fs = std::filesystem;

const std::string kPhotos = test::source_file("photos").string();
const std::string kSmall =
    " --models mobilenetv2_050 --classes 10 --size 32 --batch 2 --steps 1 --warmup 0 --threads 1 ";

test::Outcome bench_models(const std::string& arguments) { return test::run_shell(BENCH_MODELS " " + arguments); }

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(BenchModels, OneRowAModelAndTask) {
  const test::TemporaryFolder folder;
  const std::string csv = (folder / "rows.csv").string(), json = (folder / "rows.json").string();
  const test::Outcome outcome = bench_models(kSmall + "--data " + kPhotos + " --csv " + csv + " --json " + json);
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_NE(outcome.output.find("MiB planned"), std::string::npos) << outcome.output;
  const std::string rows = test::read_whole(csv);
  EXPECT_EQ(count(rows, "\n"), 3U) << rows;
  EXPECT_NE(rows.find("\nmobilenetv2_050,train,2,32,10,1,1,"), std::string::npos) << rows;
  EXPECT_NE(rows.find("\nmobilenetv2_050,head,2,32,10,1,1,"), std::string::npos) << rows;
  EXPECT_EQ(count(test::read_whole(json), "\"seconds_median\""), 2U);
}

TEST(BenchModels, ResumeSkipsWhatIsThere) {
  const test::TemporaryFolder folder;
  const std::string files = " --data " + kPhotos + " --csv " + (folder / "rows.csv").string();
  ASSERT_EQ(bench_models(kSmall + files + " --tasks head").code, 0);
  const std::string before = test::read_whole(folder / "rows.csv");
  const test::Outcome outcome = bench_models(kSmall + files + " --resume");
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_NE(outcome.output.find("mobilenetv2_050 head: has its row already"), std::string::npos) << outcome.output;
  const std::string after = test::read_whole(folder / "rows.csv");
  EXPECT_TRUE(after.starts_with(before));
  EXPECT_EQ(count(after, "\n"), 3U);
}

TEST(BenchModels, CorruptImagesAreNamedAndCounted) {
  const test::TemporaryFolder folder;
  fs::copy(kPhotos, folder / "photos", fs::copy_options::recursive);
  const fs::path broken = folder.path() / "photos" / "dog" / "n02089973_English_foxhound.jpg";
  test::write_whole(broken, test::read_whole(broken).substr(0, 5000));
  // One epoch of the rest, so that every image is met.
  const std::string arguments = kSmall + "--tasks head --batch 6 --steps 3 --data " + (folder / "photos").string();
  const test::Outcome outcome = bench_models(arguments);
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_EQ(count(outcome.output, "warning: skipped " + broken.string() + ": corrupt JPEG"), 1U) << outcome.output;
  EXPECT_NE(outcome.output.find("1 image could not be read and was skipped"), std::string::npos) << outcome.output;
}

TEST(BenchModels, NothingReadableIsAnError) {
  const test::TemporaryFolder folder;
  for (const char* name : {"a.jpg", "b.jpg", "c.jpg"})
    test::write_whole(folder.path() / "class" / name, "\xff\xd8\xff\xe0 no more");
  const test::Outcome outcome = bench_models(kSmall + "--tasks head --data " + folder.path().string());
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.output.find("bramble: error: no readable image is left: all 3 are corrupt\n"), std::string::npos)
      << outcome.output;
}

TEST(BenchModels, GeneratedImagesAreWrittenOnce) {
  const test::TemporaryFolder cache;
  const std::string command =
      "XDG_CACHE_HOME=" + cache.path().string() + " " BENCH_MODELS + kSmall + "--tasks head --in-memory";
  const test::Outcome first = test::run_shell(command);
  ASSERT_EQ(first.code, 0) << first.output;
  EXPECT_NE(first.output.find("writing 1000 generated images, once"), std::string::npos) << first.output;
  const test::Outcome second = test::run_shell(command);
  EXPECT_EQ(second.code, 0) << second.output;
  EXPECT_EQ(second.output.find("writing"), std::string::npos) << second.output;
}

TEST(BenchModels, LossDependsOnTheDataAndNotOnHowItIsLoaded) {
  const test::TemporaryFolder folder;
  const auto final_loss = [&](const std::string& extra) {
    const fs::path csv = folder / "rows.csv";
    const test::Outcome outcome =
        bench_models(kSmall + "--steps 3 --tasks train --data " + kPhotos + " --csv " + csv.string() + extra);
    EXPECT_EQ(outcome.code, 0) << outcome.output;
    std::string row = test::read_whole(csv);
    row = row.substr(row.find('\n') + 1);
    for (int column = 0; column < 15; ++column) row = row.substr(row.find(',') + 1);
    return row.substr(0, row.find(','));
  };
  const std::string loss = final_loss("");
  EXPECT_GT(std::stod(loss), 0);
  EXPECT_EQ(final_loss(" --in-memory"), loss);
  EXPECT_EQ(final_loss(" --threads 3"), loss);
  EXPECT_EQ(final_loss(" --mark-region"), loss);
  EXPECT_EQ(final_loss(" --mark-tasks"), loss);
}

TEST(BenchModels, InterruptKeepsTheRowsSoFar) {
  const test::TemporaryFolder folder;
  const std::string csv = (folder / "rows.csv").string();
  ASSERT_EQ(bench_models(kSmall + "--tasks head --data " + kPhotos + " --csv " + csv).code, 0);
  // Past the row that it finds there, the run takes steps without end until the signal comes.
  const std::string run = BENCH_MODELS + kSmall + "--steps 1000000 --resume --tasks head,train --data " + kPhotos +
                          " --csv " + csv + " > " + (folder / "output").string() + " 2>&1 & process=$!; ";
  const std::string wait = "while kill -0 $process && ! grep -q already " + (folder / "output").string() +
                           "; do sleep 0.1; done; sleep 0.5; ";
  const test::Outcome outcome = test::run_shell(run + wait + "kill -INT $process; wait $process");
  const std::string output = test::read_whole(folder / "output");
  EXPECT_EQ(outcome.code, 130) << outcome.output << output;
  EXPECT_NE(output.find("bramble: interrupted\n"), std::string::npos) << output;
  EXPECT_NE(output.find("images/s"), std::string::npos) << "the table is shown: " << output;
  EXPECT_EQ(count(test::read_whole(csv), "\n"), 2U);
}

#ifdef BRAMBLE_CAN_LIMIT_ADDRESS_SPACE
TEST(BenchModels, NoMemoryForOneModelIsSaidAndTheOthersGoOn) {
  const test::TemporaryFolder folder;
  const std::string csv = (folder / "rows.csv").string();
  const std::string arguments =
      " --models resnet50,mobilenetv2_050 --tasks train --size 288 --batch 12 --steps 1 --warmup 0 --threads 1 "
      "--data " +
      kPhotos + " --csv " + csv;
  const test::Outcome outcome = test::run_shell("ulimit -v 1600000; " BENCH_MODELS + arguments);
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.output.find("bramble: error: resnet50 train: the plan needs "), std::string::npos)
      << outcome.output;
  EXPECT_NE(test::read_whole(csv).find("mobilenetv2_050,train"), std::string::npos) << outcome.output;
  const std::size_t table = outcome.output.find("peak MiB");
  const std::size_t unfit = outcome.output.find("\nNot run for want of memory:\n  resnet50 train: the plan needs ");
  EXPECT_LT(table, unfit) << outcome.output;
  EXPECT_NE(unfit, std::string::npos) << outcome.output;
}
#endif

}  // namespace
}  // namespace bramble
