#include "engine/training/schedule.h"

#include <gtest/gtest.h>

namespace bramble::engine {
namespace {

TEST(Schedule, WarmsUpLinearlyToTheRate) {
  for (const ScheduleKind kind : {ScheduleKind::constant, ScheduleKind::cosine, ScheduleKind::step}) {
    const Schedule schedule{.kind = kind, .rate = 0.8, .warmup = 4, .updates = 20, .decay_every = 100};
    EXPECT_DOUBLE_EQ(learning_rate(schedule, 0), 0.2);
    EXPECT_DOUBLE_EQ(learning_rate(schedule, 3), 0.8);
    EXPECT_DOUBLE_EQ(learning_rate(schedule, 4), 0.8);
  }
}

TEST(Schedule, TheCosineFallsToItsEnd) {
  const Schedule schedule{.rate = 1, .lowest = 0.1, .warmup = 10, .updates = 110};
  EXPECT_DOUBLE_EQ(learning_rate(schedule, 60), 0.55);
  EXPECT_NEAR(learning_rate(schedule, 109), 0.1, 1e-3);
  EXPECT_DOUBLE_EQ(learning_rate(schedule, 500), 0.1);
}

TEST(Schedule, StepsMultiplyTheRate) {
  const Schedule schedule{.kind = ScheduleKind::step, .rate = 1, .warmup = 2, .updates = 100, .decay_every = 10};
  EXPECT_DOUBLE_EQ(learning_rate(schedule, 11), 1);
  EXPECT_DOUBLE_EQ(learning_rate(schedule, 12), 0.1);
  EXPECT_NEAR(learning_rate(schedule, 32), 0.001, 1e-12);
}

TEST(Schedule, ARunOfWarmUpAloneEnds) {
  EXPECT_DOUBLE_EQ(learning_rate({.rate = 1, .warmup = 5, .updates = 5}, 4), 1);
}

}  // namespace
}  // namespace bramble::engine
