// bench_models --profile and --trace, as a user runs them.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>

#include "tests/support/files.h"
#include "tests/support/program.h"

namespace bramble {
namespace {

const std::string kSmall = " --models mobilenetv2_050 --classes 10 --size 32 --batch 2 --steps 2 --warmup 1 --data " +
                           test::source_file("photos").string() + " ";

test::Outcome bench_models(const std::string& arguments) { return test::run_shell(BENCH_MODELS + kSmall + arguments); }

// The tables of the profile: lines between a heading and the next empty line.
std::vector<std::vector<std::string>> tables(const std::string& output) {
  std::vector<std::vector<std::string>> found;
  std::istringstream lines(output);
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("op ")) {
      found.emplace_back();
      inside = true;
    } else if (line.empty() || line.starts_with("GB/s: ")) {
      inside = false;
    } else if (inside) {
      found.back().push_back(line);
    }
  }
  return found;
}

// Columns are two or more spaces apart.
std::vector<std::string> columns(const std::string& line) {
  std::vector<std::string> found;
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t end = std::min(line.find("  ", at), line.size());
    found.push_back(line.substr(at, end - at));
    at = std::min(line.find_first_not_of(' ', end), line.size());
  }
  return found;
}

double sum_of_shares(const std::vector<std::string>& table) {
  double sum = 0;
  for (const std::string& line : table) sum += std::stod(columns(line).at(3));
  return sum;
}

TEST(BenchModelsProfile, EachOpIsListedOnceAndTheSharesSumToTheStep) {
  for (const char* threads : {"1", "3"}) {
    const test::Outcome outcome = bench_models(std::string("--tasks train --profile --threads ") + threads);
    ASSERT_EQ(outcome.code, 0) << outcome.output;
    const auto both = tables(outcome.output);
    ASSERT_EQ(both.size(), 2U) << outcome.output;
    EXPECT_NEAR(sum_of_shares(both[0]), 100, 0.5) << outcome.output;
    // Each line is rounded; the images' waiting is in the first table only.
    const double waiting = std::stod(columns(both[0].back()).at(3));
    EXPECT_NEAR(sum_of_shares(both[1]), 100 - waiting, 0.01 * static_cast<double>(both[1].size())) << outcome.output;
    std::set<std::string> seen;
    double before = std::stod(columns(both[1].front()).at(2));
    for (const std::string& line : both[1]) {
      const auto fields = columns(line);
      ASSERT_EQ(fields.size(), 9U) << line;
      EXPECT_TRUE(seen.insert(fields[0] + " " + fields[1]).second) << "twice: " << line;
      EXPECT_LE(std::stod(fields[2]), before) << "longest first: " << line;
      before = std::stod(fields[2]);
    }
    EXPECT_TRUE(seen.contains("conv2d conv_stem")) << outcome.output;
    EXPECT_TRUE(seen.contains("conv2d_bwd_weight conv_stem")) << outcome.output;
    EXPECT_TRUE(seen.contains("softmax_cross_entropy loss")) << outcome.output;
  }
}

TEST(BenchModelsProfile, ThereIsNoneUnlessAskedFor) {
  EXPECT_EQ(bench_models("--tasks head --threads 1").output.find("profile"), std::string::npos);
}

TEST(BenchModelsTrace, OneProcessARunAndOneRowAThread) {
  const test::TemporaryFolder folder;
  const test::Outcome outcome = bench_models("--threads 3 --trace " + (folder / "trace.json").string());
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  const auto trace = nlohmann::json::parse(test::read_whole(folder / "trace.json"));
  std::map<int, std::string> processes;
  std::map<int, std::set<int>> named;
  std::map<std::pair<int, int>, double> reached;
  std::map<int, std::size_t> events;
  for (const auto& event : trace.at("traceEvents")) {
    const int process = event.at("pid"), thread = event.at("tid");
    if (event.at("ph") == "M") {
      if (event.at("name") == "process_name") processes[process] = event.at("args").at("name");
      if (event.at("name") == "thread_name") {
        EXPECT_TRUE(named[process].insert(thread).second);
      }
      continue;
    }
    ASSERT_EQ(event.at("ph"), "X");
    EXPECT_TRUE(named[process].contains(thread)) << event;
    EXPECT_FALSE(event.at("name").get<std::string>().empty());
    EXPECT_FALSE(event.at("cat").get<std::string>().empty());
    EXPECT_LE(event.at("args").at("tasks"), event.at("args").at("of"));
    // One thread does one thing at a time; times are printed in thousandths.
    double& end = reached[{process, thread}];
    EXPECT_GE(event.at("ts").get<double>(), end - 0.002) << event;
    end = event.at("ts").get<double>() + event.at("dur").get<double>();
    ++events[process];
  }
  EXPECT_EQ(processes, (std::map<int, std::string>{{0, "mobilenetv2_050 train"}, {1, "mobilenetv2_050 head"}}));
  for (const auto& [process, threads] : named) EXPECT_EQ(threads, (std::set<int>{0, 1, 2}));
  EXPECT_GT(events[0], events[1]) << "training the head alone does less";
}

TEST(BenchModelsTrace, APathThatCannotBeWrittenIsSaidBeforeAnyWork) {
  const test::TemporaryFolder folder;
  for (const std::string& path : {std::string("/nowhere/trace.json"), folder.path().string()}) {
    const test::Outcome outcome = bench_models("--trace " + path);
    EXPECT_EQ(outcome.code, 1);
    EXPECT_EQ(outcome.lines(), 1U) << outcome.output;
    EXPECT_TRUE(outcome.output.starts_with("bramble: error: " + path)) << outcome.output;
  }
}

TEST(BenchModelsTrace, AnErrorLaterLeavesNoHalfFile) {
  const test::TemporaryFolder folder;
  const test::Outcome outcome = bench_models("--data /nowhere --trace " + (folder / "trace.json").string());
  EXPECT_EQ(outcome.code, 1);
  EXPECT_FALSE(std::filesystem::exists(folder / "trace.json"));
}

}  // namespace
}  // namespace bramble
