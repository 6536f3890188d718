#include "kernels/gemm/gemm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>
#include <vector>

#include "kernels/gemm/packed_weight.h"
#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

using test::uniform;

constexpr std::int64_t kSizes[] = {1, 3, 4, 7, 8, 9, 11, 12, 13, 16, 20, 24, 25};
constexpr std::int64_t kDepths[] = {0, 1, 2, 3, 7, 8, 33};

// Rounding errors of a sum of `depth` products of numbers below one.
double tolerance(std::int64_t depth) { return 1e-6 * (4.0 + std::sqrt(static_cast<double>(depth)) * 2.0); }

void expect_near(const std::vector<float>& got, const std::vector<float>& want, double bound) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], want[i], bound) << "at " << i;
}

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

TEST(Gemm, MatchesReferenceOverAwkwardSizesAndMisalignedOperands) {
  for (const std::int64_t rows : kSizes) {
    for (const std::int64_t cols : kSizes) {
      for (const std::int64_t depth : kDepths) {
        const std::int64_t lda = depth + 3, ldb = cols + 1, ldc = cols + 2;
        const auto a = uniform(size(rows * lda + 1), 1);
        const auto b = uniform(size(depth * ldb + 1), 2);
        auto got = uniform(size(rows * ldc), 3);
        auto want = got;
        std::vector<float> a_panels(size(gemm_a_elements(rows, depth) + 1));
        std::vector<float> b_panels(size(gemm_b_elements(depth, cols) + 1));
        gemm_pack_a_f32(rows, depth, a.data() + 1, lda, a_panels.data() + 1);
        gemm_pack_b_f32(depth, cols, b.data() + 1, ldb, b_panels.data() + 1);
        for (const bool accumulate : {false, true}) {
          gemm_packed_f32(rows, cols, depth, a_panels.data() + 1, b_panels.data() + 1, got.data(), ldc, accumulate);
          gemm_f32_ref(rows, cols, depth, a.data() + 1, lda, 1, b.data() + 1, ldb, 1, want.data(), ldc, accumulate);
          expect_near(got, want, tolerance(depth));
        }
      }
    }
  }
}

TEST(Gemm, RowsInPlaceMatchTheReferenceAndBreakTheirSums) {
  for (const std::int64_t rows : {1L, 6L, 7L, 8L, 15L}) {
    for (const std::int64_t cols : kSizes) {
      for (const std::int64_t depth : {0L, 1L, 3L, 4L, 7L, 8L, 33L, 100L}) {
        const std::int64_t lda = depth + 3, ldc = cols + 2;
        const auto a = uniform(size(rows * lda + 1), 1);
        const auto b = uniform(size(depth * cols), 2);
        const auto bias = uniform(size(cols), 3), scale = uniform(size(cols), 7);
        const auto residual = uniform(size(rows * ldc), 4), gelu_input = uniform(size(rows * ldc), 5, -3, 3);
        std::vector<float> panels(size(gemm_b_elements(depth, cols)));
        gemm_pack_b_f32(depth, cols, b.data(), cols, panels.data());
        auto got = uniform(size(rows * ldc), 6);
        auto want = got, got_z = got, want_z = got;
        for (const Activation activation : {Activation::none, Activation::relu6, Activation::gelu, Activation::silu}) {
          GemmEpilogue epilogue{bias.data(), residual.data(), got_z.data(), activation};
          if (activation == Activation::none) epilogue.gelu_input = gelu_input.data();
          if (activation == Activation::silu) epilogue.scale = scale.data();
          const GemmRows product{rows, cols, depth, 40, a.data() + 1, lda, panels.data(), depth, got.data(), ldc};
          gemm_rows_f32(product, epilogue);
          epilogue.preactivation = want_z.data();
          gemm_f32_ref(rows, cols, depth, a.data() + 1, lda, 1, b.data(), cols, 1, want.data(), ldc, false, epilogue);
          expect_near(got, want, 2 * tolerance(depth));
          expect_near(got_z, want_z, 2 * tolerance(depth));
        }
        auto plain = got;
        gemm_rows_f32({rows, cols, depth, 256, a.data() + 1, lda, panels.data(), depth, plain.data(), ldc});
        gemm_f32_ref(rows, cols, depth, a.data() + 1, lda, 1, b.data(), cols, 1, want.data(), ldc, false);
        for (std::int64_t i = 0; i < rows; ++i) {
          for (std::int64_t j = 0; j < cols; ++j) {
            ASSERT_NEAR(plain[size(i * ldc + j)], want[size(i * ldc + j)], tolerance(depth));
          }
        }
      }
    }
  }
}

TEST(Gemm, OperandsInPlaceAreThoseThatWerePacked) {
  const std::int64_t rows = 24, cols = 28, depth = 37;
  const auto a = uniform(size(depth * rows), 1);  // A[i][k] = a[k * rows + i]
  const auto b = uniform(size(depth * cols), 2);
  std::vector<float> a_panels(size(gemm_a_elements(rows, depth))), b_panels(size(gemm_b_elements(depth, cols)));
  gemm_pack_a_trans_f32(rows, depth, a.data(), rows, a_panels.data());
  gemm_pack_b_f32(depth, cols, b.data(), cols, b_panels.data());
  std::vector<float> want(size(rows * cols)), got(want.size());
  gemm_packed_f32(rows, cols, depth, a_panels.data(), b_panels.data(), want.data(), cols, false);
  for (const bool a_in_place : {false, true}) {
    for (const bool b_in_place : {false, true}) {
      GemmBlock block{
          rows, cols, depth, a_in_place ? a.data() : a_panels.data(), b_in_place ? b.data() : b_panels.data(), depth,
          0,    {},   false};
      block.a_step = a_in_place ? rows : 0;
      block.b_step = b_in_place ? cols : 0;
      block.c.data = got.data();
      block.c.row_stride = cols;
      gemm_block_f32(block);
      EXPECT_EQ(got, want);
    }
  }
  std::vector<float> sums(size(cols), 1.0f), want_sums(size(cols), 1.0f);
  gemm_panel_sums_f32(depth, cols, b_panels.data(), sums.data(), true);
  gemm_column_sums_f32(depth, cols, b.data(), cols, want_sums.data(), true);
  expect_near(sums, want_sums, tolerance(depth));
}

TEST(Gemm, TransposedSourcesPackToTheSamePanels) {
  for (const std::int64_t lanes : kSizes) {
    for (const std::int64_t depth : {1L, 3L, 7L, 8L, 33L, 1030L}) {
      const auto plain = uniform(size(lanes * depth), 4);
      std::vector<float> transposed(plain.size());
      for (std::int64_t i = 0; i < lanes; ++i) {
        for (std::int64_t k = 0; k < depth; ++k) transposed[size(k * lanes + i)] = plain[size(i * depth + k)];
      }
      std::vector<float> one(size(gemm_a_elements(lanes, depth)), 7.0f), two(one.size(), 8.0f);
      gemm_pack_a_f32(lanes, depth, plain.data(), depth, one.data());
      gemm_pack_a_trans_f32(lanes, depth, transposed.data(), lanes, two.data());
      EXPECT_EQ(one, two);
      one.assign(size(gemm_b_elements(depth, lanes)), 7.0f), two.assign(one.size(), 8.0f);
      gemm_pack_b_trans_f32(depth, lanes, plain.data(), depth, one.data());
      gemm_pack_b_f32(depth, lanes, transposed.data(), lanes, two.data());
      EXPECT_EQ(one, two);
    }
  }
}

TEST(Gemm, EpilogueRunsInTheDocumentedOrder) {
  for (const Activation activation : {Activation::none, Activation::relu, Activation::relu6, Activation::gelu,
                                      Activation::hard_swish, Activation::hard_sigmoid}) {
    for (const std::int64_t rows : {7L, 8L, 17L}) {
      for (const std::int64_t cols : {3L, 12L, 20L}) {
        const std::int64_t depth = 40;
        const auto a = uniform(size(rows * depth), 1, -2, 2);
        const auto b = uniform(size(depth * cols), 2);
        const auto bias = uniform(size(cols), 3), scale = uniform(size(cols), 6);
        const auto residual = uniform(size(rows * cols), 4);
        std::vector<float> a_panels(size(gemm_a_elements(rows, depth))), b_panels(size(gemm_b_elements(depth, cols)));
        gemm_pack_a_f32(rows, depth, a.data(), depth, a_panels.data());
        gemm_pack_b_f32(depth, cols, b.data(), cols, b_panels.data());
        auto got = uniform(size(rows * cols), 5);
        auto want = got, got_z = got, want_z = got;
        gemm_packed_f32(rows, cols, depth, a_panels.data(), b_panels.data(), got.data(), cols, true,
                        {bias.data(), residual.data(), got_z.data(), activation, nullptr, scale.data()});
        gemm_f32_ref(rows, cols, depth, a.data(), depth, 1, b.data(), cols, 1, want.data(), cols, true,
                     {bias.data(), residual.data(), want_z.data(), activation, nullptr, scale.data()});
        expect_near(got, want, 2 * tolerance(depth));
        expect_near(got_z, want_z, 2 * tolerance(depth));
      }
    }
  }
}

TEST(Gemm, SlicesOfDeepPanelsAddUpToTheWhole) {
  const std::int64_t rows = 21, cols = 31, depth = 50;
  const auto a = uniform(size(rows * depth), 1);
  const auto b = uniform(size(depth * cols), 2);
  std::vector<float> a_panels(size(gemm_a_elements(rows, depth))), b_panels(size(gemm_b_elements(depth, cols)));
  gemm_pack_b_f32(depth, cols, b.data(), cols, b_panels.data());
  std::vector<float> want(size(rows * cols)), got(want.size());
  gemm_f32_ref(rows, cols, depth, a.data(), depth, 1, b.data(), cols, 1, want.data(), cols, false);
  std::vector<std::int64_t> row_offsets;
  for (std::int64_t i = 0; i < rows; ++i) row_offsets.push_back((rows - 1 - i) * cols);
  for (std::int64_t k = 0; k < depth; k += 20) {
    const std::int64_t part = std::min<std::int64_t>(20, depth - k);
    gemm_pack_a_f32(rows, part, a.data() + k, depth, a_panels.data());
    for (std::int64_t j = 0; j < cols; j += 24) {
      GemmBlock block{
          rows, std::min<std::int64_t>(24, cols - j), part, a_panels.data(), b_panels.data() + j * depth, depth, k, {},
          k > 0};
      block.c.data = got.data() + j;
      block.c.row_offsets = row_offsets.data();
      gemm_block_f32(block);
    }
  }
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < cols; ++j) {
      ASSERT_NEAR(got[size((rows - 1 - i) * cols + j)], want[size(i * cols + j)], tolerance(depth));
    }
  }
}

TEST(Gemm, SumsThatBreakInATileAreThoseThatBreakInBlocks) {
  const std::int64_t rows = 19, step = 12;
  for (const std::int64_t cols : {2L, 8L, 12L, 29L, 40L}) {
    for (const std::int64_t depth : {12L, 13L, 24L, 50L, 147L}) {
      const auto a = uniform(size(rows * depth), 1), b = uniform(size(depth * cols), 2);
      const auto residual = uniform(size(rows * cols), 3), scale = uniform(size(cols), 4);
      const auto bias = uniform(size(cols), 5);
      std::vector<float> a_panels(size(gemm_a_elements(rows, depth))), b_panels(size(gemm_b_elements(depth, cols)));
      gemm_pack_a_f32(rows, depth, a.data(), depth, a_panels.data());
      gemm_pack_b_f32(depth, cols, b.data(), cols, b_panels.data());
      GemmEpilogue epilogue;
      epilogue.residual = residual.data();
      epilogue.scale = scale.data();
      std::vector<float> want(size(rows * cols), 7.0f), got(want);
      GemmBlock block{rows, cols, depth, a_panels.data(), b_panels.data(), depth, 0, {}, false};
      block.depth_step = step;
      block.c.data = got.data();
      block.c.row_stride = cols;
      gemm_block_f32(block, epilogue);
      for (std::int64_t k = 0; k < depth; k += step) {
        GemmBlock piece{rows, cols, std::min(step, depth - k), nullptr, b_panels.data(), depth, k, {}, k > 0};
        gemm_pack_a_f32(rows, piece.depth, a.data() + k, depth, a_panels.data());
        piece.a = a_panels.data();
        piece.c.data = want.data();
        piece.c.row_stride = cols;
        gemm_block_f32(piece, k + step < depth ? GemmEpilogue{} : epilogue);
      }
      EXPECT_EQ(got, want) << cols << " columns, " << depth << " terms";

      gemm_pack_a_f32(rows, depth, a.data(), depth, a_panels.data());
      epilogue.bias = bias.data();
      epilogue.activation = Activation::gelu;
      gemm_block_f32(block, epilogue);
      gemm_f32_ref(rows, cols, depth, a.data(), depth, 1, b.data(), cols, 1, want.data(), cols, false, epilogue);
      expect_near(got, want, tolerance(depth));
    }
  }
}

// Rows in place: sums that break in the middle stay in the tile, others go to C and come back.
TEST(Gemm, SumsOfRowsInPlaceThatBreakInATileAreThoseOfTwoProducts) {
  for (const std::int64_t rows : {2L, 7L, 8L, 11L, 19L, 25L}) {
    for (const std::int64_t cols : {2L, 8L, 12L, 16L, 28L, 29L, 32L, 40L}) {
      for (const std::int64_t half : {4L, 12L, 96L, 196L}) {
        const std::int64_t depth = 2 * half;
        const auto a = uniform(size(rows * depth), 1), b = uniform(size(depth * cols), 2);
        const auto residual = uniform(size(rows * cols), 3), scale = uniform(size(cols), 4);
        const auto bias = uniform(size(cols), 5);
        std::vector<float> panels(size(gemm_b_elements(depth, cols))), want(size(rows * cols)), got(want);
        gemm_pack_b_f32(depth, cols, b.data(), cols, panels.data());
        GemmEpilogue epilogue;
        epilogue.residual = residual.data();
        epilogue.scale = scale.data();
        epilogue.bias = bias.data();
        GemmRows whole{rows, cols, depth, half, a.data(), depth, panels.data(), depth, got.data(), cols};
        gemm_rows_f32(whole, epilogue);

        std::vector<float> half_panels(size(gemm_b_elements(half, cols)));
        for (const std::int64_t k : {std::int64_t{0}, half}) {
          gemm_pack_b_f32(half, cols, b.data() + k * cols, cols, half_panels.data());
          const GemmRows piece{rows, cols, half, half, a.data() + k, depth, half_panels.data(), half, want.data(), cols,
                               k > 0};
          gemm_rows_f32(piece, k > 0 ? epilogue : GemmEpilogue{});
        }
        EXPECT_EQ(got, want) << rows << " rows, " << cols << " columns, " << depth << " terms";

        epilogue.activation = Activation::gelu;
        gemm_rows_f32(whole, epilogue);
        gemm_f32_ref(rows, cols, depth, a.data(), depth, 1, b.data(), cols, 1, want.data(), cols, false, epilogue);
        expect_near(got, want, tolerance(depth));
      }
    }
  }
}

// Where the last columns are taken by 16, against the same columns cut so that they are not.
TEST(Gemm, ColumnsTakenBySixteenHaveTheBitsOfNarrowerTiles) {
  for (const std::int64_t cols : {16L, 32L, 64L, 76L}) {
    ASSERT_GT(gemm_rows_wide_cols(cols), 0);
    for (const std::int64_t rows : {5L, 23L, 35L}) {
      for (const auto& [depth, step] : {std::pair{4L, 4L}, {32L, 32L}, {96L, 48L}, {100L, 40L}}) {
        const std::int64_t stride = cols + 3, cut = cols - cols % kGemmTileCols;
        const auto a = uniform(size(rows * depth), 1), b = uniform(size(depth * cols), 2);
        const auto bias = uniform(size(cols), 3), scale = uniform(size(cols), 4);
        const auto residual = uniform(size(rows * stride), 5), gelu_input = uniform(size(rows * stride), 6, -3, 3);
        std::vector<float> panels(size(gemm_b_elements(depth, cols)));
        gemm_pack_b_f32(depth, cols, b.data(), cols, panels.data());
        for (const bool accumulate : {false, true}) {
          for (const Activation activation : {Activation::none, Activation::relu6, Activation::silu}) {
            const auto before = uniform(size(rows * stride), 7);
            auto wide = before, wide_z = before, narrow = before, narrow_z = before;
            GemmEpilogue epilogue{bias.data(), residual.data(), wide_z.data(), activation};
            if (activation == Activation::none) epilogue.gelu_input = gelu_input.data();
            if (activation == Activation::silu) epilogue.scale = scale.data();
            if (activation == Activation::relu6) epilogue.preactivation = nullptr;
            GemmRows product{rows, cols, depth, step, a.data(), depth, panels.data(), depth, wide.data(), stride};
            product.accumulate = accumulate;
            gemm_rows_f32(product, epilogue);

            if (epilogue.preactivation) epilogue.preactivation = narrow_z.data();
            product.c = narrow.data();
            for (std::int64_t begin = 0; begin < cols; begin += cut, product.b += cut * depth, product.c += cut) {
              product.cols = std::min(cut, cols - begin);
              gemm_rows_f32(product, epilogue);
              epilogue.bias += cut;
              epilogue.residual += cut;
              if (epilogue.preactivation) epilogue.preactivation += cut;
              if (epilogue.gelu_input) epilogue.gelu_input += cut;
              if (epilogue.scale) epilogue.scale += cut;
            }
            EXPECT_EQ(wide, narrow) << rows << " rows, " << cols << " columns, " << depth << " terms";
            EXPECT_EQ(wide_z, narrow_z) << rows << " rows, " << cols << " columns, " << depth << " terms";
          }
        }
      }
    }
  }
}

TEST(Gemm, ShortSumsOfRowsInPlaceMatchTheReference) {
  for (const std::int64_t rows : {1L, 9L}) {
    for (const std::int64_t cols : {4L, 12L, 20L, 44L}) {
      for (const std::int64_t depth : {1L, 2L, 3L, 4L}) {
        const std::int64_t lda = depth + 1, ldc = cols + 2;
        const auto a = uniform(size(rows * lda), 1), b = uniform(size(depth * cols), 2, -5, 5);
        const auto bias = uniform(size(cols), 3, 0, 6);
        std::vector<float> panels(size(gemm_b_elements(depth, cols)));
        gemm_pack_b_f32(depth, cols, b.data(), cols, panels.data());
        for (const Activation activation : {Activation::none, Activation::relu, Activation::relu6}) {
          for (const float* start : {static_cast<const float*>(nullptr), bias.data()}) {
            GemmEpilogue epilogue;
            epilogue.bias = start;
            epilogue.activation = activation;
            auto got = uniform(size(rows * ldc), 4), want = got;
            gemm_rows_f32({rows, cols, depth, 4, a.data(), lda, panels.data(), depth, got.data(), ldc}, epilogue);
            gemm_f32_ref(rows, cols, depth, a.data(), lda, 1, b.data(), cols, 1, want.data(), ldc, false, epilogue);
            expect_near(got, want, 8 * tolerance(depth));
          }
        }
      }
    }
  }
}

// What is stored along with later products, and what those fetch, against tiles stored at once: blocks of fewer turns
// of four steps than there are rows to copy, and of more.
TEST(Gemm, ResultsAreTheSameBitsWhicheverWayTilesGoToTheirPlace) {
  for (const auto& [rows, cols] : {std::pair{5L, 36L}, {8L, 40L}, {8L, 36L}, {24L, 44L}, {29L, 40L}, {29L, 36L}}) {
    const std::int64_t stride = cols + 3;
    for (const std::int64_t depth : {1L, 6L, 30L, 61L, 128L}) {
      const auto a = uniform(size(gemm_a_elements(rows, depth)), 1), b = uniform(size(depth * cols), 2);
      std::vector<std::int64_t> offsets;
      for (std::int64_t i = 0; i < rows; ++i) offsets.push_back(i * stride);
      for (const bool accumulate : {false, true}) {
        const auto before = uniform(size(rows * stride), 3);
        auto at_once = before, later = before, listed = before;
        GemmBlock block{rows, cols, depth, a.data(), b.data(), depth, 0, {}, accumulate};
        block.c = {.data = at_once.data(), .row_stride = stride, .cached = true};
        gemm_block_f32(block);
        block.c = {.data = later.data(), .row_stride = stride};
        gemm_block_f32(block);
        block.c = {.data = listed.data(), .row_offsets = offsets.data()};
        gemm_block_f32(block);
        EXPECT_EQ(later, at_once);
        EXPECT_EQ(listed, at_once);
      }
    }
  }
}

// Beside a whole tile a narrower one waits, too, but where its pre-activation is kept.
TEST(Gemm, ANarrowTileThatWaitsBesideAWholeOneHasTheSameBits) {
  for (const std::int64_t cols : {16L, 20L, 28L}) {
    for (const std::int64_t rows : {5L, 7L, 14L, 22L}) {
      const std::int64_t depth = 34, stride = cols + 3;
      const auto a = uniform(size(rows * depth), 1), b = uniform(size(depth * cols), 2), bias = uniform(size(cols), 3);
      const auto residual = uniform(size(rows * stride), 4), before = uniform(size(rows * stride), 5);
      std::vector<float> a_panels(size(gemm_a_elements(rows, depth))), b_panels(size(gemm_b_elements(depth, cols)));
      gemm_pack_a_f32(rows, depth, a.data(), depth, a_panels.data());
      gemm_pack_b_f32(depth, cols, b.data(), cols, b_panels.data());
      for (const Activation activation : {Activation::none, Activation::relu6, Activation::silu}) {
        for (const bool in_place : {false, true}) {
          auto waits = before, at_once = before, z = before;
          for (auto* const to : {&waits, &at_once}) {
            const GemmEpilogue epilogue{bias.data(), residual.data(), to == &waits ? nullptr : z.data(), activation};
            if (in_place)
              gemm_rows_f32({rows, cols, depth, depth, a.data(), depth, b_panels.data(), depth, to->data(), stride},
                            epilogue);
            else
              gemm_packed_f32(rows, cols, depth, a_panels.data(), b_panels.data(), to->data(), stride, false, epilogue);
          }
          EXPECT_EQ(waits, at_once) << cols << " columns, " << rows << " rows";
        }
      }
    }
  }
}

TEST(Gemm, PanelOutputHasTheStoredWeightsLayoutWithZeroPads) {
  for (const std::int64_t cols : {1L, 5L, 12L, 23L, 26L}) {
    const std::int64_t rows = 21, depth = 9;
    const auto a = uniform(size(rows * depth), 1);
    const auto b = uniform(size(depth * cols), 2);
    std::vector<float> a_panels(size(gemm_a_elements(rows, depth))), b_panels(size(gemm_b_elements(depth, cols)));
    std::vector<float> plain(size(rows * cols)), want(size(gemm_b_elements(rows, cols)));
    gemm_f32_ref(rows, cols, depth, a.data(), depth, 1, b.data(), cols, 1, plain.data(), cols, false);
    gemm_pack_b_f32(rows, cols, plain.data(), cols, want.data());
    gemm_pack_b_f32(depth, cols, b.data(), cols, b_panels.data());
    std::vector<float> got(want.size(), 7.0f);
    for (std::int64_t first = 0; first < rows; first += 16) {
      const std::int64_t part = std::min<std::int64_t>(16, rows - first);
      gemm_pack_a_f32(part, depth, a.data() + first * depth, depth, a_panels.data());
      GemmBlock block{part, cols, depth, a_panels.data(), b_panels.data(), depth, 0, {}, false};
      block.c.data = got.data();
      block.c.panel_depth = rows;
      block.c.first_row = first;
      gemm_block_f32(block);
    }
    expect_near(got, want, tolerance(depth));
  }
}

TEST(Gemm, ColumnSumsMatchTheLoop) {
  for (const std::int64_t rows : {0L, 1L, 2L, 7L}) {
    for (const std::int64_t cols : {1L, 4L, 7L, 12L}) {
      const auto source = uniform(size(rows * (cols + 1) + 1), 1);
      std::vector<float> sums(size(cols), 5.0f), want(size(cols), 0.0f);
      for (std::int64_t i = 0; i < rows; ++i) {
        for (std::int64_t j = 0; j < cols; ++j) want[size(j)] += source[size(i * (cols + 1) + j)];
      }
      gemm_column_sums_f32(rows, cols, source.data(), cols + 1, sums.data(), false);
      expect_near(sums, want, 1e-5);
      gemm_column_sums_f32(rows, cols, source.data(), cols + 1, sums.data(), true);
      for (float& value : want) value *= 2;
      expect_near(sums, want, 1e-5);
    }
  }
}

TEST(PackedWeight, RoundTripKeepsEveryWeightAndZeroesThePads) {
  for (const auto& shape : {PackedWeightShape{1, 1}, PackedWeightShape{13, 5}, PackedWeightShape{12, 3, 3, 3},
                            PackedWeightShape{26, 4, 3, 5}, PackedWeightShape{10, 3, 3, 3, 2}}) {
    const std::int64_t count = shape.out_channels * shape.depth();
    const auto torch = uniform(size(count), 1);
    std::vector<float> packed(size(packed_weight_elements(shape)), 9.0f), back(torch.size());
    pack_weight_f32(shape, torch.data(), packed.data());
    unpack_weight_f32(shape, packed.data(), back.data());
    EXPECT_EQ(torch, back);
    std::int64_t zeros = 0;
    for (const float value : packed) zeros += value == 0.0f;
    EXPECT_EQ(zeros, packed_weight_elements(shape) - count);
  }
}

}  // namespace
}  // namespace bramble::kernels
