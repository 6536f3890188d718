#include "engine/bind/product_cuts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <tuple>
#include <vector>

#include "engine/bind/convolution_batchnorm.h"

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
      for (const std::int64_t groups : {1, 3, 16}) {
        std::vector<ProductTask> tasks;
        cut_product(rows, cols, groups, kernels::kGemmTileRows, 2, tasks);
        for (std::int64_t group = 0; group < groups; ++group) {
          std::vector<ConvSlice> slices;
          for (const ProductTask& task : tasks) {
            ASSERT_EQ(task.phase, 2);
            if (task.slice.group == group) slices.push_back(task.slice);
          }
          expect_covered_once(slices, rows, cols);
        }
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

// Products of each of four cores, with tasks dealt in order to the one that is free first.
std::array<std::int64_t, 4> products_of_four_cores(const GradientCuts& cuts) {
  std::array<std::int64_t, 4> cores{};
  for (const GradientTask& task : cuts.tasks) {
    *std::min_element(cores.begin(), cores.end()) += (task.slice.row_end - task.slice.row_begin) *
                                                     (task.slice.col_end - task.slice.col_begin) *
                                                     (task.depth_end - task.depth_begin);
  }
  return cores;
}

// Rows, columns and depth of resnet18's, resnet50's, vit_tiny's and mobilenetv2_100's.
TEST(ProductCuts, GradientsOfRealModelsAreDividedEvenly) {
  constexpr std::int64_t kGradients[][3] = {{4608, 512, 196}, {576, 64, 12544},  {192, 768, 788},  {2048, 512, 196},
                                            {576, 96, 784},   {96, 576, 784},    {160, 960, 196},  {960, 160, 196},
                                            {960, 320, 196},  {1280, 1000, 196}, {147, 64, 50176}, {1024, 256, 784}};
  for (const auto& [rows, cols, depth] : kGradients) {
    const auto cores = products_of_four_cores(cut_gradient(rows, cols, depth, 1, ConvBlocking{}));
    const std::int64_t most = *std::max_element(cores.begin(), cores.end());
    EXPECT_LE(4.0 * static_cast<double>(most), 1.05 * static_cast<double>(rows * cols * depth))
        << rows << " x " << cols;
  }
}

// Tiles of each of four cores, with tasks dealt in order to the one that is free first.
std::array<std::int64_t, 4> tiles_of_four_cores(const std::vector<SumTask>& tasks, std::int64_t tile_rows) {
  std::array<std::int64_t, 4> cores{};
  for (const SumTask& task : tasks) {
    const std::int64_t rows = task.slice.row_end - task.slice.row_begin,
                       cols = task.slice.col_end - task.slice.col_begin;
    *std::min_element(cores.begin(), cores.end()) +=
        (rows + tile_rows - 1) / tile_rows * ((cols + kernels::kGemmTileCols - 1) / kernels::kGemmTileCols);
  }
  return cores;
}

TEST(ProductCuts, GradientsOfSeveralPartsAreSharedEvenly) {
  // resnet18's first convolution of stride 2 at a batch of 16: seven parts, whose three slices each left cores idle.
  const GradientCuts cuts = cut_gradient(576, 128, 12544, 1, ConvBlocking{});
  std::array<std::int64_t, 4> cores{};
  for (const GradientTask& task : cuts.tasks)
    *std::min_element(cores.begin(), cores.end()) += (task.depth_end - task.depth_begin) *
                                                     (task.slice.row_end - task.slice.row_begin) *
                                                     (task.slice.col_end - task.slice.col_begin);
  EXPECT_LE(*std::max_element(cores.begin(), cores.end()), 1.05 * 576 * 128 * 12544 / 4);
}

TEST(ProductCuts, ColumnsAreCutIntoWholePanelsThatFourCoresFinishTogether) {
  for (const auto& [rows, cols] : {std::pair{4, 25088}, {196, 512}, {196, 2048}, {16, 1280}, {64, 12}, {4, 4096}}) {
    const std::int64_t step = even_columns(rows, cols, 192);
    EXPECT_EQ(step % kernels::kGemmTileCols, 0);
    EXPECT_LE(step, 192);
    if (cols < 512) continue;
    std::array<std::int64_t, 4> cores{};
    for (std::int64_t col = 0; col < cols; col += step)
      *std::min_element(cores.begin(), cores.end()) += std::min(step, cols - col);
    EXPECT_LE(*std::max_element(cores.begin(), cores.end()), 1.06 * static_cast<double>(cols) / 4) << cols;
  }
}

TEST(SumCuts, EachPartOfEachColumnIsInOneTask) {
  for (const std::int64_t rows : {1, 64, 65, 196, 784, 3136, 12544}) {
    const SumParts parts{rows, std::clamp<std::int64_t>(rows / 64, 1, 64)};
    for (const std::int64_t cols : {1, 12, 40, 100, 512}) {
      for (const std::int64_t groups : {1, 3}) {
        std::vector<int> seen(static_cast<std::size_t>(groups * parts.count * cols));
        for (const SumTask& task : cut_sums(cols, groups, parts, 7)) {
          ASSERT_LT(task.part_begin, task.part_end);
          ASSERT_EQ(task.slice.row_begin, parts.begin(task.part_begin));
          ASSERT_EQ(task.slice.row_end, parts.begin(task.part_end));
          for (std::int64_t part = task.part_begin; part < task.part_end; ++part)
            for (std::int64_t col = task.slice.col_begin; col < task.slice.col_end; ++col)
              ++seen[static_cast<std::size_t>((task.slice.group * parts.count + part) * cols + col)];
        }
        for (const int count : seen) ASSERT_EQ(count, 1) << rows << " x " << cols << ", " << groups << " groups";
      }
    }
  }
}

TEST(ProductCuts, FourCoresOfRealModelsComputeLittleInVain) {
  // Rows and columns of resnet18's and vgg16's 3 x 3 convolutions at batches of 4 and 16.
  for (const auto& [rows, cols] :
       {std::pair{196, 512}, {784, 256}, {3136, 128}, {12544, 64}, {784, 512}, {3136, 512}, {50176, 64}}) {
    std::vector<ProductTask> products;
    cut_product(rows, cols, 1, 8, 0, products);
    std::vector<SumTask> tasks;
    for (const ProductTask& product : products) tasks.push_back({0, 0, product.slice});
    const auto cores = tiles_of_four_cores(tasks, 8);
    const double even =
        static_cast<double>(rows * kernels::round_up(cols, kernels::kGemmTileCols)) / (8 * kernels::kGemmTileCols) / 4;
    EXPECT_LE(static_cast<double>(*std::max_element(cores.begin(), cores.end())), 1.05 * even) << rows << " x " << cols;
  }
}

TEST(SumCuts, FourCoresOfRealModelsComputeLittleInVain) {
  // Rows and columns of resnet50's and mobilenetv2_100's 1 x 1 convolutions at batches of 4 and 16.
  for (const auto& [rows, cols] : {std::pair{784, 1024},
                                   {784, 256},
                                   {196, 2048},
                                   {196, 512},
                                   {3136, 512},
                                   {3136, 128},
                                   {12544, 256},
                                   {12544, 512},
                                   {784, 576},
                                   {196, 960},
                                   {3136, 192}}) {
    const SumParts parts{rows, std::clamp<std::int64_t>(rows / 64, 1, 64)};
    const auto cores = tiles_of_four_cores(cut_sums(cols, 1, parts, 7), 7);
    const double even = static_cast<double>(rows) * cols / (7 * kernels::kGemmTileCols) / 4;
    EXPECT_LE(static_cast<double>(*std::max_element(cores.begin(), cores.end())), 1.08 * even) << rows << " x " << cols;
  }
}

TEST(SumCuts, SumsFollowTheirRowsPartByPart) {
  const SumParts parts{200, 3};
  const SumTask task{1, 3, {0, parts.begin(1), parts.begin(3), 0, 12}};
  std::int64_t written = task.slice.row_begin, summed = task.slice.row_begin;
  const auto product = [&](std::int64_t row, std::int64_t end) {
    EXPECT_EQ(row, written);
    EXPECT_TRUE((end - task.slice.row_begin) % 7 == 0 || end == task.slice.row_end);
    written = end;
  };
  const auto sum = [&](std::int64_t part, std::int64_t row, std::int64_t end) {
    EXPECT_EQ(row, summed);
    EXPECT_GE(row, parts.begin(part));
    EXPECT_LE(end, parts.end(part));
    EXPECT_LE(end, written);
    EXPECT_LT(written, end + 7);
    summed = end;
  };
  follow_with_sums(task, parts, 40, 7, product, sum);
  EXPECT_EQ(written, 200);
  EXPECT_EQ(summed, 200);
}

}  // namespace
}  // namespace bramble::engine
