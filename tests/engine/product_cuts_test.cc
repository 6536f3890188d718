#include "engine/bind/product_cuts.h"

#include <gtest/gtest.h>

#include <set>
#include <tuple>
#include <vector>

namespace bramble::engine {
namespace {

using kernels::ConvBlocking;
using kernels::ConvSlice;

constexpr std::int64_t kExtents[] = {1, 7, 12, 13, 98, 150, 392, 1000};

// How often each cell of rows x cols lies in a slice.
void expect_covered_once(const std::vector<ConvSlice>& slices, std::int64_t rows, std::int64_t cols) {
  std::vector<int> seen(static_cast<std::size_t>(rows * cols));
  for (const ConvSlice& slice : slices) {
    ASSERT_EQ(slice.row_begin % kernels::kGemmTileRows, 0);
    ASSERT_EQ(slice.col_begin % kernels::kGemmTileCols, 0);
    for (std::int64_t i = slice.row_begin; i < slice.row_end; ++i) {
      for (std::int64_t j = slice.col_begin; j < slice.col_end; ++j) ++seen[static_cast<std::size_t>(i * cols + j)];
    }
  }
  for (const int count : seen) ASSERT_EQ(count, 1) << rows << " x " << cols;
}

TEST(ProductCuts, EachElementOfAProductIsInOneTask) {
  for (const std::int64_t rows : kExtents) {
    for (const std::int64_t cols : kExtents) {
      for (const std::int64_t goal : {1, 4, 16}) {
        std::vector<ProductTask> tasks;
        cut_product(rows, cols, goal, ConvBlocking{}, {}, tasks);
        std::vector<ConvSlice> slices;
        for (const ProductTask& task : tasks) slices.push_back(task.slice);
        expect_covered_once(slices, rows, cols);
      }
    }
  }
}

TEST(ProductCuts, EachProductOfAGradientIsInOneTask) {
  for (const std::int64_t rows : kExtents) {
    for (const std::int64_t cols : kExtents) {
      for (const std::int64_t depth : {1, 500, 1568, 50176}) {
        for (const std::int64_t groups : {1, 3}) {
          const GradientCuts cuts = cut_gradient(rows, cols, depth, groups, ConvBlocking{});
          std::set<std::tuple<std::int64_t, std::int64_t, std::int64_t>> parts;
          for (const GradientTask& task : cuts.tasks) parts.insert({task.part, task.depth_begin, task.depth_end});
          ASSERT_EQ(static_cast<std::int64_t>(parts.size()), cuts.parts);
          std::int64_t end = 0;
          for (const auto& [part, part_begin, part_end] : parts) {
            ASSERT_EQ(part_begin, end);
            ASSERT_LT(part_begin, part_end);
            end = part_end;
            std::vector<ConvSlice> slices;
            for (const GradientTask& task : cuts.tasks) {
              if (task.part == part && task.slice.group == groups - 1) slices.push_back(task.slice);
            }
            expect_covered_once(slices, rows, cols);
          }
          ASSERT_EQ(end, depth);
        }
      }
    }
  }
}

TEST(ProductCuts, LayersOfRealModelsGiveEveryCoreWork) {
  // Rows, columns, depth of ResNet's and ViT's layers at batch 2.
  for (const auto& [rows, cols] : {std::pair{98, 512}, {392, 256}, {1568, 128}, {6272, 64}, {394, 192}, {394, 768}}) {
    std::vector<ProductTask> tasks;
    cut_product(rows, cols, kTaskGoal, ConvBlocking{}, {}, tasks);
    EXPECT_GE(tasks.size(), 12U) << rows << " x " << cols;
  }
  EXPECT_GE(cut_gradient(4608, 512, 98, 1, ConvBlocking{}).tasks.size(), 12U);
  EXPECT_GE(cut_gradient(576, 64, 6272, 1, ConvBlocking{}).tasks.size(), 12U);
  EXPECT_GE(cut_gradient(192, 768, 394, 1, ConvBlocking{}).tasks.size(), 12U);
}

}  // namespace
}  // namespace bramble::engine
