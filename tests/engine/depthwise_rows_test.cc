#include "engine/bind/depthwise_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace bramble::engine {
namespace {

using kernels::DepthwiseConv2dShape;

constexpr std::size_t kL2 = 512 << 10;

std::vector<DepthwiseConv2dShape> shapes() {
  std::vector<DepthwiseConv2dShape> all;
  for (const std::int64_t batch : {1, 2, 3, 4, 16})
    for (const std::int64_t extent : {1, 4, 7, 14, 56, 112})
      for (const std::int64_t channels : {1, 16, 40, 144, 960})
        for (const std::int64_t kernel : {1, 3, 7})
          for (const std::int64_t stride : {1, 2})
            for (const std::int64_t dilation : {1, 2}) {
              DepthwiseConv2dShape s{batch,  extent, extent,     channels,   0,       0, kernel, kernel,
                                     stride, kernel / 2, kernel / 2, dilation};
              const std::int64_t rest = extent + 2 * (kernel / 2) - dilation * (kernel - 1) - 1;
              if (rest < 0) continue;
              s.out_height = s.out_width = rest / stride + 1;
              all.push_back(s);
            }
  return all;
}

TEST(DepthwiseTasks, EachRowAndChannelIsInOneTurn) {
  for (const DepthwiseConv2dShape& s : shapes()) {
    for (const auto& [most_parts, in_place] : {std::pair{1L, false}, {3L, false}, {64L, false}, {1L, true}}) {
      const DepthwiseTasks tasks(s, most_parts, in_place, {4, 3}, kL2);
      if (!in_place) {
        ASSERT_LE(tasks.parts, most_parts);
      }
      std::vector<int> seen(static_cast<std::size_t>(s.batch * s.out_height * s.channels));
      for (std::int64_t task = 0; task < tasks.count(); ++task) {
        ASSERT_LT(tasks.part_of(task), tasks.parts);
        ASSERT_GT(tasks.channel_count(task), 0);
        tasks.for_each_turn(task, [&](const DepthwiseTurn& turn) {
          ASSERT_LE(turn.rows.end, s.out_height);
          const kernels::DepthwiseSlice slice = turn.slice(turn.rows, s.out_height);
          for (std::int64_t row = slice.row_begin; row < slice.row_end; ++row)
            for (std::int64_t c = slice.channel_begin; c < slice.channel_end; ++c)
              ++seen[static_cast<std::size_t>(row * s.channels + c)];
        });
      }
      ASSERT_EQ(std::count(seen.begin(), seen.end(), 1), static_cast<std::ptrdiff_t>(seen.size()));
    }
  }
}

TEST(DepthwiseTasks, KeepFourCoresEvenlyBusy) {
  for (const std::int64_t batch : {4, 16})
    for (const auto& [extent, channels] : {std::pair{112, 32}, {56, 144}, {28, 192}, {14, 576}, {7, 960}}) {
      const DepthwiseConv2dShape s{batch, extent, extent, channels, extent, extent, 3, 3, 1, 1, 1, 1};
      const std::int64_t parts = std::clamp<std::int64_t>(batch * extent * extent / 64, 1, 64);
      const DepthwiseTasks tasks(s, parts, false, {4, 3}, kL2);
      EXPECT_GE(tasks.count(), 16) << extent << "x" << channels;
      std::vector<std::int64_t> cores(4);
      for (std::int64_t task = 0; task < tasks.count(); ++task) {
        std::int64_t& first_free = *std::min_element(cores.begin(), cores.end());
        tasks.for_each_turn(task, [&](const DepthwiseTurn& turn) {
          first_free += turn.rows.count() * tasks.channel_count(task);
        });
      }
      const double mean = static_cast<double>(cores[0] + cores[1] + cores[2] + cores[3]) / 4;
      EXPECT_LE(static_cast<double>(*std::max_element(cores.begin(), cores.end())), 1.08 * mean)
          << batch << "x" << extent << "x" << channels;
    }
}

bool holds(RowSpan span, std::int64_t row) { return row >= span.begin && row < span.end; }

// By brute force: which source rows an output row's taps reach.
TEST(DepthwiseRows, SpansHoldWhatTheKernelsGather) {
  for (const DepthwiseConv2dShape& s : shapes()) {
    if (s.batch != 1 || s.channels != 1) continue;
    for (std::int64_t begin = 0; begin < s.out_height; begin += 3) {
      const RowSpan of{begin, std::min(begin + 2, s.out_height)};
      const RowSpan x = gathered_rows(s, of), dx = source_rows(s, of), dy = gathered_gradient_rows(s, dx);
      for (std::int64_t oy = 0; oy < s.out_height; ++oy)
        for (std::int64_t ky = 0; ky < s.kernel_height; ++ky) {
          const std::int64_t iy = oy * s.stride - s.padding_height + ky * s.dilation;
          if (iy < 0 || iy >= s.in_height) continue;
          EXPECT_TRUE(!holds(of, oy) || holds(x, iy)) << oy << " " << iy;
          EXPECT_TRUE(!holds(dx, iy) || holds(dy, oy)) << oy << " " << iy;
        }
      EXPECT_GE(x.begin, 0);
      EXPECT_LE(x.end, s.in_height);
      EXPECT_GE(dy.begin, 0);
      EXPECT_LE(dy.end, s.out_height);
    }
  }
}

TEST(RowRing, MakesEachRowOnceAndKeepsWhatTheNextTurnNeeds) {
  std::vector<float> memory(3 * 2, -1);
  RowRing ring(memory.data(), 3, 2);
  std::vector<std::int64_t> made;
  const auto make = [&](std::int64_t row, float* to) {
    made.push_back(row);
    to[0] = to[1] = static_cast<float>(row);
  };
  ring.prepare(0, {0, 2}, make);
  ring.prepare(0, {0, 3}, make);
  ring.prepare(0, {2, 5}, make);
  EXPECT_EQ(made, (std::vector<std::int64_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(memory, (std::vector<float>{3, 3, 4, 4, 2, 2}));
  ring.prepare(1, {1, 2}, make);
  EXPECT_EQ(made.back(), 1);
  EXPECT_EQ(memory[2], 1);
}

}  // namespace
}  // namespace bramble::engine
