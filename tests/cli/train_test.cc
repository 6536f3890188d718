// `bramble train` as a user runs it, on the photographs in tests/photos, small enough for seconds.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "engine/checkpoint/safetensors.h"
#include "tests/support/files.h"
#include "tests/support/program.h"

namespace bramble {
namespace {

namespace fs = std::filesystem;

std::string photos() { return test::source_file("photos").string(); }

std::string train_command(const fs::path& out, const std::string& more) {
  return std::string(BRAMBLE) + " train --model mobilenetv2_050 --data " + photos() + " --size 32 --batch 4 --out " +
         out.string() + " " + more;
}

test::Outcome train(const fs::path& out, const std::string& more) { return test::run_shell(train_command(out, more)); }

void expect_error(const test::Outcome& outcome, int code, const std::string& message) {
  EXPECT_EQ(outcome.code, code) << outcome.output;
  EXPECT_NE(outcome.output.find("bramble: error: "), std::string::npos) << outcome.output;
  EXPECT_NE(outcome.output.find(message), std::string::npos) << outcome.output << "should say: " << message;
}

std::vector<nlohmann::json> lines_of(const fs::path& jsonl) {
  std::vector<nlohmann::json> lines;
  std::ifstream file(jsonl);
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

/// All of a run's steps as far as they have to be the same: everything but the clock's.
std::vector<nlohmann::json> steps_of(const fs::path& out) {
  std::vector<nlohmann::json> lines = lines_of(out / "metrics.jsonl");
  for (nlohmann::json& line : lines) line.erase("images_per_s");
  return lines;
}

TEST(Train, WritesAModelThatEvalAndPredictTake) {
  const test::TemporaryFolder folder;
  const test::Outcome trained = train(folder / "run", "--epochs 2 --val-split 0.34");
  ASSERT_EQ(trained.code, 0) << trained.output;
  for (const char* name : {"model.safetensors", "best.safetensors", "metrics.csv", "metrics.jsonl", "config.json"})
    EXPECT_TRUE(fs::exists(folder / "run" / name)) << name;
  const std::string report = test::read_whole(folder / "run" / "report.html");
  for (const char* part : {"Loss", "Accuracy", "Confusion matrix", "reptile", "Worst mistakes",
                           "data:image/jpeg;base64,", "Time by op", "conv2d", "Memory"})
    EXPECT_NE(report.find(part), std::string::npos) << part;
  EXPECT_TRUE(std::ranges::any_of(fs::directory_iterator(folder / "run"), [](const auto& entry) {
    return entry.path().filename().string().starts_with("events.out.tfevents.");
  }));
  const std::string model = (folder / "run" / "model.safetensors").string();

  const test::Outcome evaluated = test::run_shell(std::string(BRAMBLE) + " eval " + model + " --data " + photos());
  EXPECT_EQ(evaluated.code, 0) << evaluated.output;
  EXPECT_NE(evaluated.output.find("13 images: loss "), std::string::npos) << evaluated.output;

  const std::string image = test::source_file("photos/bird/n01860187_black_swan.jpg").string();
  const test::Outcome predicted =
      test::run_shell(std::string(BRAMBLE) + " predict " + model + " /nowhere.jpg " + image);
  EXPECT_EQ(predicted.code, 1) << "one of the two images is not there";
  for (const char* name : {"bird", "dog", "insect", "reptile"})
    EXPECT_NE(predicted.output.find(name), std::string::npos) << predicted.output;

  const test::Outcome inspected = test::run_shell(std::string(BRAMBLE) + " inspect " + model);
  EXPECT_EQ(inspected.code, 0);
  EXPECT_NE(inspected.output.find("bramble.model: mobilenetv2_050"), std::string::npos);
  EXPECT_NE(inspected.output.find("classifier.weight"), std::string::npos);
}

TEST(Train, BeginsFromACheckpointAndSaysWhichHeadIsNew) {
  const test::TemporaryFolder folder;
  fs::create_directories(folder / "two");
  for (const char* name : {"bird", "dog"}) fs::create_directory_symlink(photos() + "/" + name, folder / "two" / name);
  const std::string two = " --data " + (folder / "two").string();
  ASSERT_EQ(train(folder / "first", "--steps 1 --val-split 0" + two).code, 0);
  const std::string init = " --init " + (folder / "first" / "model.safetensors").string();
  const test::Outcome second = train(folder / "second", "--steps 1 --head-only" + init);
  EXPECT_EQ(second.code, 0) << second.output;
  EXPECT_NE(second.output.find("initialised anew for 4 classes: classifier.weight, classifier.bias"), std::string::npos)
      << second.output;
}

TEST(Train, FrozenBatchNormKeepsTheCheckpointsStatistics) {
  const test::TemporaryFolder folder;
  ASSERT_EQ(train(folder / "first", "--steps 2").code, 0);
  const fs::path first = folder / "first" / "model.safetensors", second = folder / "second" / "model.safetensors";
  const test::Outcome outcome = train(folder / "second", "--steps 2 --lr 0.01 --bn frozen --init " + first.string());
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  const engine::SafetensorsFile before(first), after(second);
  int statistics = 0, changed = 0;
  for (const engine::StoredTensor& tensor : before.tensors()) {
    if (tensor.dtype != "F32") continue;
    const bool same = before.floats(tensor) == after.floats(*after.find(tensor.name));
    if (tensor.name.find(".running_") != std::string::npos) {
      EXPECT_TRUE(same) << tensor.name;
      ++statistics;
    } else {
      changed += same ? 0 : 1;
    }
  }
  EXPECT_GT(statistics, 50);
  EXPECT_GT(changed, 100) << "scales and biases are trained";
}

TEST(Train, DropsAtRandomByItsSeed) {
  const test::TemporaryFolder folder;
  const std::string dropping = "--steps 2 --drop-rate 0.5 --drop-path 0.2 ";
  ASSERT_EQ(train(folder / "none", "--steps 2").code, 0);
  ASSERT_EQ(train(folder / "one", dropping).code, 0);
  ASSERT_EQ(train(folder / "again", dropping).code, 0);
  EXPECT_EQ(steps_of(folder / "one"), steps_of(folder / "again"));
  EXPECT_NE(steps_of(folder / "one"), steps_of(folder / "none"));
}

TEST(Train, AConfigFileStandsForTheCommandLineWhichWins) {
  const test::TemporaryFolder folder;
  test::write_whole(folder / "c.json",
                    R"({"epochs": 50, "steps": 3, "lr": 0.125, "head-only": true, "optimizer": "adamw"})");
  const test::Outcome outcome = train(folder / "run", "--steps 2 --config " + (folder / "c.json").string());
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  const auto config = nlohmann::json::parse(test::read_whole(folder / "run" / "config.json"));
  EXPECT_EQ(config["steps"], 2);
  EXPECT_EQ(config["lr"], 0.125);
  EXPECT_EQ(config["head-only"], true);
  EXPECT_EQ(config["optimizer"], "adamw");
  test::write_whole(folder / "c.json", R"({"leaning-rate": 1})");
  expect_error(train(folder / "other", "--config " + (folder / "c.json").string()), 2, "leaning-rate");
  test::write_whole(folder / "c.json", "{");
  expect_error(train(folder / "other", "--config " + (folder / "c.json").string()), 1, "c.json: is no valid JSON");
}

TEST(Train, WrongUsageAndMissingThingsAreNamed) {
  const test::TemporaryFolder folder;
  const fs::path out = folder / "run";
  expect_error(test::run_shell(std::string(BRAMBLE) + " train --data x"), 2, "--model is required");
  expect_error(train(out, "--model resnet99"), 1, "unknown model 'resnet99'");
  expect_error(train(out, "--data /nowhere"), 1, "/nowhere: no such folder");
  expect_error(train(out, "--init /nowhere"), 1, "/nowhere: No such file");
  expect_error(train(out, "--optimizer sgdd"), 2, "--optimizer");
  expect_error(train(out, "--head-only --trainable 'x*'"), 2, "exclude");
  expect_error(train(out, "--trainable 'nothing.*'"), 2, "nothing.*");
  expect_error(train(out, "--bn frozen"), 2, "--bn frozen needs --init");
  expect_error(train(out, "--batch 100"), 1, "larger than the data");
  expect_error(train("/dev/null/run", "--steps 1"), 1, "/dev/null/run");
  expect_error(train(folder / "none", "--resume"), 1, "config.json");
  EXPECT_FALSE(fs::exists(out)) << "nothing is written before all is checked";
}

#ifdef BRAMBLE_CAN_LIMIT_ADDRESS_SPACE
TEST(Train, TooLittleMemorySaysWhichBatchFits) {
  const test::TemporaryFolder folder;
  const auto limited = [&](const std::string& batch) {
    return test::run_shell("ulimit -v 700000; " + std::string(BRAMBLE) + " train --model resnet18 --threads 1 --data " +
                           photos() + " --val-split 0 --size 160 --steps 1 --out " + (folder / "run").string() +
                           " --batch " + batch);
  };
  const test::Outcome outcome = limited("400");
  expect_error(outcome, 1, " would fit");
  EXPECT_FALSE(fs::exists(folder / "run"));
  const std::size_t begin = outcome.output.find("--batch ") + 8;
  const int fits = std::stoi(outcome.output.substr(begin));
  EXPECT_GT(fits, 1);
  const test::Outcome with_less = limited(std::to_string(std::min(fits, 13)));
  EXPECT_EQ(with_less.code, 0) << with_less.output;
  expect_error(limited(std::to_string(fits + 1)), 1, "--batch " + std::to_string(fits) + " would fit");
}
#endif

TEST(Train, ALossThatIsNoNumberStops) {
  const test::TemporaryFolder folder;
  const test::Outcome outcome = train(folder / "run", "--steps 50 --lr 1e30 --momentum 0 --save-every 1");
  expect_error(outcome, 1, "the loss is");
  EXPECT_NE(outcome.output.find(", which comes from the output of layer '"), std::string::npos) << outcome.output;
  const fs::path good = folder / "run" / "checkpoints" / "step-00000001";
  EXPECT_NE(outcome.output.find("the last good checkpoint is " + good.string()), std::string::npos) << outcome.output;
  EXPECT_TRUE(fs::exists(good));
}

TEST(Train, AnUpdateThatOverflowsStopsInItsOwnStep) {
  const test::TemporaryFolder folder;
  const test::Outcome outcome =
      train(folder / "run", "--steps 5 --lr 1e30 --weight-decay 1e30 --momentum 0 --save-every 1 --on-nan skip");
  expect_error(outcome, 1, "step 1: parameter 'classifier.");
  EXPECT_NE(outcome.output.find("there is no checkpoint yet"), std::string::npos) << outcome.output;
  EXPECT_FALSE(fs::exists(folder / "run" / "checkpoints")) << "none with a NaN is written";
  EXPECT_FALSE(fs::exists(folder / "run" / "best.safetensors"));
}

TEST(Train, ADiskThatIsFullStopsTheRunWhichContinuesWhereThereIsRoom) {
  const test::TemporaryFolder folder;
  // A constant rate: the run that is stopped begins as one of fewer steps.
  const std::string options = "--steps 6 --save-every 2 --val-split 0 --schedule constant ";
  ASSERT_EQ(train(folder / "whole", options).code, 0);
  ASSERT_EQ(train(folder / "cut", options + "--steps 2").code, 0);
  for (const char* name : {"model.safetensors", "report.html"}) fs::remove(folder / "cut" / name);
  const std::string resume = train_command(folder / "cut", options + "--resume");
  // No file may be longer than 1 MiB: the next checkpoint does not fit.
  const test::Outcome stopped = test::run_shell("ulimit -f 2048; " + resume);
  expect_error(stopped, 1, "model.safetensors: cannot be written: File too large; stopped after step 4, ");
  const fs::path good = folder / "cut" / "checkpoints" / "step-00000002";
  EXPECT_NE(stopped.output.find("--resume continues from " + good.string()), std::string::npos) << stopped.output;
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "cut" / "checkpoints"), {}), 1)
      << "nothing is left half-written";
  const test::Outcome resumed = test::run_shell(resume);
  ASSERT_EQ(resumed.code, 0) << resumed.output;
  EXPECT_TRUE(test::read_whole(folder / "cut" / "model.safetensors") ==
              test::read_whole(folder / "whole" / "model.safetensors"));
}

constexpr const char* kOverflowing = " --lr 1e30 --momentum 0 --on-nan skip --val-split 0 --schedule constant";

TEST(Train, SkippedStepsChangeNothingAndAreCounted) {
  const test::TemporaryFolder folder;
  ASSERT_EQ(train(folder / "one", "--steps 1" + std::string(kOverflowing)).code, 0);
  const test::Outcome four = train(folder / "four", "--steps 4 --save-every 1" + std::string(kOverflowing));
  ASSERT_EQ(four.code, 0) << four.output;
  EXPECT_NE(four.output.find("skipped (3 so far)"), std::string::npos) << four.output;
  const auto model = [&](const char* run) { return test::read_whole(folder / run / "model.safetensors"); };
  EXPECT_EQ(model("one"), model("four"));
  const nlohmann::json last = lines_of(folder / "four" / "metrics.jsonl")[3];
  EXPECT_EQ(last["step"], 4);
  EXPECT_TRUE(last.contains("skipped") && last.contains("where")) << last;
  const test::Outcome resumed = train(folder / "four", "--resume --steps 20");
  expect_error(resumed, 1, "after 10 skipped steps in a row");
  EXPECT_NE(resumed.output.find("continuing after step 4 of 20"), std::string::npos) << resumed.output;
  EXPECT_NE(resumed.output.find("skipped (13 so far)"), std::string::npos) << resumed.output;
}

TEST(Train, ASecondRunDoesNotOverwriteTheFirst) {
  const test::TemporaryFolder folder;
  ASSERT_EQ(train(folder / "run", "--steps 1").code, 0);
  expect_error(train(folder / "run", "--steps 1"), 1, "holds a run already");
}

/// The program in a process of its own, which a signal may end.
class Child {
 public:
  explicit Child(const std::string& command) : pid_(fork()) {
    if (pid_ != 0) return;
    setpgid(0, 0);
    execl("/bin/sh", "sh", "-c", ("exec " + command + " > /dev/null 2>&1").c_str(), nullptr);
    _exit(127);
  }
  int end_by(int signal, std::chrono::milliseconds after) {
    std::this_thread::sleep_for(after);
    kill(pid_, signal);
    int status = 0;
    waitpid(pid_, &status, 0);
    return status;
  }

 private:
  pid_t pid_;
};

bool has_checkpoint(const fs::path& out) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(out / "checkpoints", error))
    if (entry.path().filename().string().starts_with("step-")) return true;
  return false;
}

constexpr const char* kLongRun =
    "--epochs 4 --val-split 0.34 --optimizer adamw --lr 0.002 --ema 0.9 --accumulate 2 --clip-grad 1 "
    "--label-smoothing 0.1 --save-every 1 --augment rand --color-jitter 0.2 --erase 0.25 --mixup 0.2";

TEST(Train, AFinishedRunStaysAsItIsAndALostReportIsMadeAgain) {
  const test::TemporaryFolder folder;
  const fs::path out = folder / "run", report = out / "report.html";
  ASSERT_EQ(train(out, "--epochs 1 --val-split 0.34").code, 0);
  const std::string before = test::read_whole(report);
  const std::string resume = std::string(BRAMBLE) + " train --resume --out " + out.string();
  const test::Outcome again = test::run_shell(resume);
  EXPECT_EQ(again.code, 0) << again.output;
  EXPECT_NE(again.output.find("is finished"), std::string::npos) << again.output;
  EXPECT_EQ(test::read_whole(report), before);
  fs::remove(report);
  EXPECT_EQ(test::run_shell(resume).code, 0);
  EXPECT_NE(test::read_whole(report).find("Confusion matrix"), std::string::npos);
  EXPECT_NE(test::read_whole(report).find("the run was continued after its last step"), std::string::npos);
}

TEST(Train, ARunThatIsKilledAgainAndAgainEndsWithTheSameBits) {
  const test::TemporaryFolder folder;
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_EQ(train(folder / "whole", kLongRun).code, 0);
  const auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
  std::mt19937 random(std::random_device{}());
  // Before the first checkpoint there is nothing to resume: the run begins again.
  const auto next = [&] { return has_checkpoint(folder / "cut") ? "--resume" : kLongRun; };
  int kills = 0;
  for (; kills < 6; ++kills) {
    Child child(train_command(folder / "cut", next()));
    const int status = child.end_by(SIGKILL, whole * (20 + random() % 60) / 100);
    if (WIFEXITED(status)) break;
  }
  SCOPED_TRACE(std::to_string(kills) + " kills");
  const test::Outcome last = train(folder / "cut", next());
  ASSERT_EQ(last.code, 0) << last.output;
  EXPECT_EQ(test::read_whole(folder / "cut" / "model.safetensors"),
            test::read_whole(folder / "whole" / "model.safetensors"));
  EXPECT_EQ(test::read_whole(folder / "cut" / "best.safetensors"),
            test::read_whole(folder / "whole" / "best.safetensors"));
  EXPECT_EQ(steps_of(folder / "cut"), steps_of(folder / "whole"));
  EXPECT_EQ(test::read_whole(folder / "cut" / "metrics.csv"), test::read_whole(folder / "whole" / "metrics.csv"));
}

TEST(Train, ASignalEndsTheStepAndSaves) {
  const test::TemporaryFolder folder;
  for (const int signal : {SIGINT, SIGTERM}) {
    const fs::path out = folder / std::to_string(signal);
    Child child(train_command(out, "--epochs 100000"));
    while (!fs::exists(out / "metrics.jsonl") || fs::file_size(out / "metrics.jsonl") == 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const int status = child.end_by(signal, std::chrono::milliseconds(50));
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 128 + signal);
    const std::size_t steps = steps_of(out).back()["step"];
    const test::Outcome resumed = train(out, "--resume --steps " + std::to_string(steps + 1));
    EXPECT_EQ(resumed.code, 0) << resumed.output;
    EXPECT_NE(resumed.output.find("continuing after step " + std::to_string(steps) + " of"), std::string::npos)
        << resumed.output;
  }
}

}  // namespace
}  // namespace bramble
