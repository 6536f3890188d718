#include "engine/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <vector>

namespace bramble::engine {
namespace {

class ThreadPoolTest : public testing::TestWithParam<int> {};

TEST_P(ThreadPoolTest, EachTaskRunsOnce) {
  ThreadPool pool(GetParam());
  for (const int tasks : {0, 1, 2, 3, 7, 100}) {
    std::vector<int> runs(static_cast<std::size_t>(tasks));  // plain: ThreadSanitizer sees a task that runs twice
    pool.run(tasks, [&](std::int64_t task, int) { ++runs[static_cast<std::size_t>(task)]; });
    for (const int count : runs) EXPECT_EQ(count, 1);
  }
}

TEST_P(ThreadPoolTest, NoSlotRunsTwoTasksAtOnce) {
  ThreadPool pool(GetParam());
  std::vector<std::atomic<int>> inside(static_cast<std::size_t>(pool.threads()));
  std::atomic<int> collisions{0};
  pool.run(1000, [&](std::int64_t, int slot) {
    std::atomic<int>& mine = inside.at(static_cast<std::size_t>(slot));
    if (mine.fetch_add(1) != 0) ++collisions;
    mine.fetch_sub(1);
  });
  EXPECT_EQ(collisions, 0);
}

TEST_P(ThreadPoolTest, ARunSeesWhatTheRunBeforeWrote) {
  ThreadPool pool(GetParam());
  std::vector<std::int64_t> values(64, 0);
  for (int round = 0; round < 50; ++round) {
    pool.run(64, [&](std::int64_t task, int) { values[static_cast<std::size_t>((task + round) % 64)] += 1; });
  }
  EXPECT_EQ(std::accumulate(values.begin(), values.end(), std::int64_t{0}), 64 * 50);
}

INSTANTIATE_TEST_SUITE_P(Threads, ThreadPoolTest, testing::Values(1, 2, 3, 4));

}  // namespace
}  // namespace bramble::engine
