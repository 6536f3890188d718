// What --profile and --trace are made from, and the figures they give.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "bench/bench_models_profile.h"
#include "bench/bench_models_trace.h"
#include "engine/trainer.h"
#include "models/registry.h"
#include "tests/support/files.h"

namespace bramble::bench {
namespace {

engine::Trainer small_trainer(int threads) {
  const models::ModelInfo& info = models::find_model("mobilenetv2_050");
  return {models::build_model(info, {.batch = 2, .size = 32, .classes = 10}), {.threads = threads}};
}

TEST(DealtTime, IsTheBusiestCoresWhenTasksAreTakenInOrder) {
  const std::vector<std::int64_t> even(8, 10), one = {40}, late = {10, 10, 10, 10, 40};
  EXPECT_EQ(dealt_time(even, 4), 20);
  EXPECT_EQ(dealt_time(one, 4), 40);
  EXPECT_EQ(dealt_time(late, 4), 50);
  EXPECT_EQ(dealt_time({}, 4), 0);
  EXPECT_EQ(dealt_time(late, 1), 80);
}

TEST(StepRecord, HoldsEachTaskOfEachPhaseWithinTheStep) {
  for (const int threads : {1, 3}) {
    engine::Trainer trainer = small_trainer(threads);
    const auto record = trainer.program().make_record();
    trainer.step();
    EXPECT_EQ(record->begin, 0) << "nothing is recorded before it is asked for";
    trainer.record_into(record.get());
    trainer.step();
    std::int64_t reached = record->begin;
    for (const engine::PhaseRecord& phase : record->phases) {
      EXPECT_GE(phase.begin, reached);
      reached = phase.end;
      for (std::size_t i = phase.first_task; i < phase.first_task + phase.task_count; ++i) {
        const engine::TaskTime& task = record->tasks[i];
        EXPECT_GE(task.begin, phase.begin);
        EXPECT_LE(task.end, phase.end);
        EXPECT_GE(task.thread, 0);
        EXPECT_LT(task.thread, threads);
      }
    }
    EXPECT_GE(record->end, reached);
    trainer.record_into(nullptr);
    const std::int64_t last = record->end;
    trainer.step();
    EXPECT_EQ(record->end, last);
  }
}

TEST(StepRecord, CallsBackBeforeEachPhaseAndTask) {
  static std::size_t phases = 0, tasks = 0;
  engine::Trainer trainer = small_trainer(1);
  const auto record = trainer.program().make_record();
  record->before_phase = [] { ++phases; };
  record->before_task = [] { ++tasks; };
  trainer.record_into(record.get());
  trainer.step();
  EXPECT_EQ(phases, record->phases.size());
  EXPECT_EQ(tasks, record->tasks.size());
}

TEST(Program, CountsEachTensorOfANodeOnce) {
  engine::Trainer trainer = small_trainer(1);
  const engine::Program& program = trainer.program();
  double flops = 0;
  for (std::size_t i = 0; i < program.graph().nodes().size(); ++i) {
    const engine::NodeWork work = program.work(i);
    flops += work.flops;
    if (program.graph().nodes()[i].name != "conv_stem" || program.graph().nodes()[i].op->name() != "conv2d") continue;
    EXPECT_EQ(work.flops, 2.0 * 27 * 2 * 16 * 16 * 16);
    const double sums = 8.0 * 8 * 2 * 16;  // two a channel for each 64 pixels, for the BatchNorm that follows
    EXPECT_EQ(work.bytes, 4.0 * (2 * 32 * 32 * 3 + 27 * 16 + 2 * 16 * 16 * 16) + sums);
  }
  EXPECT_EQ(flops, program.flops());
}

TEST(Profile, SharesOfARooflineAreAPi5s) {
  engine::Trainer trainer = small_trainer(1);
  const auto record = trainer.program().make_record();
  trainer.record_into(record.get());
  trainer.step();
  Profile profile(trainer.program(), *record);
  profile.add(*record, 1.0);
  EXPECT_NE(profile.report("a title", Board::raspberry_pi_5).find("Roofline: a Pi 5's"), std::string::npos);
  EXPECT_NE(profile.report("a title", Board::other).find("No roofline"), std::string::npos);
  EXPECT_NE(profile.report("a title", Board::other).find("profile of a title: 1000.000 ms a step"), std::string::npos);
}

TEST(Trace, StepsBeyondItsMemoryAreCountedAndLeftOut) {
  const test::TemporaryFolder folder;
  engine::Trainer trainer = small_trainer(1);
  const auto record = trainer.program().make_record();
  trainer.record_into(record.get());
  trainer.step();
  Trace trace(folder / "trace.json");
  const int steps = 2 * (1 << 18) / static_cast<int>(record->phases.size());
  trace.begin_run("a \"title\"", trainer.program(), *record, steps);
  for (int i = 0; i < steps; ++i) trace.add(*record);
  const int left_out = trace.save();
  EXPECT_GT(left_out, steps / 4);
  EXPECT_LT(left_out, steps);
  EXPECT_LT(std::filesystem::file_size(folder / "trace.json"), std::size_t{64} << 20);
}

}  // namespace
}  // namespace bramble::bench
