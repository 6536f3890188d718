#include "kernels/conv2d/conv2d.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

using test::uniform;

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

// Small blocks, so that small shapes cross their borders too.
constexpr ConvBlocking kSmallBlocks{16, 16, 12};

// Poisoned, one float beyond any alignment: what a kernel leaves unwritten shows.
std::vector<float> poisoned(std::int64_t n) {
  return std::vector<float>(size(n), std::numeric_limits<float>::quiet_NaN());
}

struct Case {
  Conv2dShape shape;
  std::string name;
};

std::vector<Case> cases() {
  const auto shape = [](std::int64_t batch, std::int64_t height, std::int64_t width, std::int64_t in, std::int64_t out,
                        std::int64_t kernel, std::int64_t stride, std::int64_t padding, std::int64_t dilation = 1,
                        std::int64_t groups = 1) {
    return Conv2dShape{batch, height, width, in, out, kernel, kernel, stride, padding, dilation, groups};
  };
  return {{shape(1, 1, 1, 1, 1, 1, 1, 0), "one value"},
          {shape(2, 5, 7, 3, 5, 3, 1, 1), "three channels, merged taps"},
          {shape(1, 12, 13, 3, 13, 7, 2, 3), "stem"},
          {shape(1, 5, 75, 3, 13, 7, 2, 3), "wide stem"},
          {shape(2, 6, 7, 1, 4, 3, 1, 1), "one channel, several runs a panel"},
          {shape(2, 9, 8, 8, 12, 3, 1, 1), "channels of one panel"},
          {shape(2, 9, 8, 16, 24, 3, 2, 1), "stride 2"},
          {shape(1, 7, 7, 20, 26, 3, 1, 1), "channels of no panel"},
          {shape(2, 6, 5, 16, 28, 1, 1, 0), "pointwise"},
          {shape(2, 7, 8, 16, 13, 1, 2, 0), "pointwise, stride 2: phases without taps"},
          {shape(1, 11, 9, 8, 9, 3, 1, 2, 2), "dilation"},
          {shape(1, 11, 12, 8, 9, 3, 2, 2, 2), "dilation and stride share a factor"},
          {shape(1, 11, 10, 4, 7, 3, 3, 2, 2), "dilation and stride do not"},
          {shape(1, 8, 8, 3, 10, 4, 4, 0), "patches"},
          {shape(1, 3, 2, 8, 8, 5, 1, 2), "kernel larger than the image"},
          {shape(1, 9, 9, 8, 8, 2, 3, 0), "stride larger than the kernel"},
          {shape(2, 6, 6, 12, 30, 3, 1, 1, 1, 3), "groups"},
          {shape(1, 6, 6, 32, 16, 3, 2, 1, 1, 2), "wide groups, stride 2"},
          {shape(1, 1, 33, 7, 1000, 1, 1, 0), "linear"},
          {shape(1, 1, 9, 64, 20, 1, 1, 0), "linear, deeper than a block"},
          {{2, 5, 9, 8, 8, 1, 3, 1, 1, 1, 1}, "kernel 1 x 3"}};
}

// Calls run(slice) for slices that cover `rows` x `cols` of every group, cut unevenly.
template <class Run>
void in_slices(std::int64_t groups, std::int64_t rows, std::int64_t row_step, std::int64_t cols, Run run) {
  for (std::int64_t group = 0; group < groups; ++group) {
    for (std::int64_t m = 0; m < rows; m += row_step) {
      for (std::int64_t j = 0; j < cols; j += 24) {
        run(ConvSlice{group, m, std::min(m + row_step, rows), j, std::min(j + 24, cols)});
      }
    }
  }
}

void expect_near(const std::vector<float>& got, const std::vector<float>& want, std::int64_t depth) {
  const double bound = 1e-6 * (4.0 + 3.0 * std::sqrt(static_cast<double>(depth)));
  for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], want[i], bound) << "at " << i;
}

std::vector<float> packed_weight(const Conv2dShape& shape) {
  const auto torch = uniform(size(shape.out_channels * shape.depth()), 7);
  std::vector<float> packed(size(packed_weight_elements(shape.weight())));
  pack_weight_f32(shape.weight(), torch.data(), packed.data());
  return packed;
}

std::int64_t in_elements(const Conv2dShape& s) { return s.batch * s.in_height * s.in_width * s.in_channels; }

// Forward and by weight over a case's shape, by data over it too; each with the real and with small blocks.
class Conv2d : public testing::TestWithParam<Case> {
 protected:
  void forward(Activation activation, bool with_residual, const ConvBlocking& blocking) {
    const auto bias = uniform(size(shape.out_channels), 2);
    const auto residual = uniform(size(out_elements), 3);
    auto got = poisoned(out_elements), want = got, got_z = got, want_z = got;
    auto scratch = poisoned(conv2d_scratch(blocking));
    GemmEpilogue epilogue{bias.data(), with_residual ? residual.data() : nullptr, got_z.data(), activation};
    in_slices(shape.groups, shape.out_rows(), 40, shape.out_per_group(), [&](const ConvSlice& slice) {
      conv2d_fwd_f32(shape, x.data(), weight.data(), got.data(), epilogue, slice, blocking, scratch.data());
    });
    epilogue.preactivation = want_z.data();
    conv2d_fwd_f32_ref(shape, x.data(), weight.data(), want.data(), epilogue);
    expect_near(got, want, shape.depth());
    expect_near(got_z, want_z, shape.depth());
  }

  void by_data(bool with_addend, const ConvBlocking& blocking) {
    const auto addend = uniform(size(in_elements(shape)), 4);
    auto packed = poisoned(conv2d_bwd_data_weight_elements(shape));
    auto got = poisoned(in_elements(shape)), want = got;
    auto scratch = poisoned(conv2d_scratch(blocking));
    const float* added = with_addend ? addend.data() : nullptr;
    for (std::int64_t phase = 0; phase < conv2d_bwd_data_phases(shape); ++phase) {
      in_slices(shape.groups, 1, 1, shape.in_per_group(), [&](const ConvSlice& slice) {
        conv2d_pack_bwd_data_weight_f32(shape, weight.data(), slice.group, phase, slice.col_begin, slice.col_end,
                                        packed.data());
      });
      in_slices(shape.groups, conv2d_bwd_data_rows(shape, phase), 40, shape.in_per_group(),
                [&](const ConvSlice& slice) {
                  conv2d_bwd_data_f32(shape, phase, dy.data(), packed.data(), added, got.data(), slice, blocking,
                                      scratch.data());
                });
    }
    conv2d_bwd_data_f32_ref(shape, dy.data(), weight.data(), added, want.data());
    expect_near(got, want, shape.kernel_height * shape.kernel_width * shape.out_per_group());
    EXPECT_EQ(got, by_data_transposing(added, blocking));
  }

  std::vector<float> by_data_transposing(const float* added, const ConvBlocking& blocking) {
    auto got = poisoned(static_cast<std::int64_t>(x.size()));
    auto scratch = poisoned(conv2d_bwd_data_transposing_scratch(shape.in_per_group(), blocking));
    for (std::int64_t phase = 0; phase < conv2d_bwd_data_phases(shape); ++phase) {
      in_slices(shape.groups, conv2d_bwd_data_rows(shape, phase), 1000, shape.in_per_group(),
                [&](const ConvSlice& slice) {
                  conv2d_bwd_data_transposing_f32(shape, phase, dy.data(), weight.data(), added, got.data(), slice,
                                                  blocking, scratch.data());
                });
    }
    return got;
  }

  void by_weight(std::int64_t parts, const ConvBlocking& blocking) {
    const auto elements = static_cast<std::int64_t>(weight.size());
    auto dw_parts = poisoned(parts * elements), db_parts = poisoned(parts * shape.out_channels);
    auto scratch = poisoned(conv2d_scratch(blocking));
    const std::int64_t pixels = shape.out_rows();
    for (std::int64_t part = 0; part < parts; ++part) {
      in_slices(shape.groups, shape.depth(), 40, shape.out_per_group(), [&](const ConvSlice& slice) {
        conv2d_bwd_weight_f32(shape, x.data(), dy.data(), dw_parts.data() + part * elements,
                              db_parts.data() + part * shape.out_channels, slice, pixels * part / parts,
                              pixels * (part + 1) / parts, blocking, scratch.data());
      });
    }
    auto dw = poisoned(elements), want_dw = dw, db = poisoned(shape.out_channels), want_db = db;
    sum_parts_f32(dw_parts.data(), parts, elements, 0, 5 % elements, dw.data());
    sum_parts_f32(dw_parts.data(), parts, elements, 5 % elements, elements, dw.data());
    sum_parts_f32(db_parts.data(), parts, shape.out_channels, 0, shape.out_channels, db.data());
    conv2d_bwd_weight_f32_ref(shape, x.data(), dy.data(), want_dw.data(), want_db.data());
    expect_near(dw, want_dw, pixels);
    expect_near(db, want_db, pixels);
  }

  /// Panels of dy packed beforehand give the bits of those that each slice packs.
  void by_weight_of_panels(const ConvBlocking& blocking) {
    if (shape.groups != 1) return;
    const std::int64_t pixels = shape.out_rows(), step = conv2d_bwd_weight_step(pixels, blocking);
    auto panels = poisoned(pixels * round_up(shape.out_channels, 12));
    for (std::int64_t m = 0; m < pixels; m += step) {
      for (std::int64_t col = 0; col < shape.out_channels; col += 24) {
        conv2d_bwd_weight_pack_f32(shape, dy.data(), m, std::min(step, pixels - m), col,
                                   std::min(col + 24, shape.out_channels), panels.data());
      }
    }
    const auto elements = static_cast<std::int64_t>(weight.size());
    auto dw = poisoned(elements), db = poisoned(shape.out_channels), want_dw = dw, want_db = db;
    auto scratch = poisoned(conv2d_scratch(blocking));
    in_slices(1, shape.depth(), 40, shape.out_channels, [&](const ConvSlice& slice) {
      conv2d_bwd_weight_f32(shape, x.data(), dy.data(), want_dw.data(), want_db.data(), slice, 0, pixels, blocking,
                            scratch.data());
      conv2d_bwd_weight_f32(shape, x.data(), {dy.data(), panels.data()}, dw.data(), db.data(), slice, 0, pixels,
                            blocking, scratch.data());
    });
    EXPECT_EQ(std::memcmp(dw.data(), want_dw.data(), dw.size() * sizeof(float)), 0);
    EXPECT_EQ(db, want_db);
  }

  /// An update that puts the gradient in the weight's place gets that of all whole panels, each element once.
  void by_weight_to_an_update(const ConvBlocking& blocking) {
    if (shape.depth() % 8 != 0) return;
    const auto elements = static_cast<std::int64_t>(weight.size());
    auto dw = poisoned(elements), want = dw, scratch = poisoned(conv2d_scratch(blocking));
    std::vector<float> updated(dw.size(), 3.0f);
    GemmUpdate update;
    update.weight = updated.data();
    update.run = [](const void*, const float* gradient, float* values, float*) {
      for (int i = 0; i < 96; ++i) values[i] = values[i] == 3.0f ? gradient[i] : NAN;
    };
    in_slices(shape.groups, shape.depth(), 40, shape.out_per_group(), [&](const ConvSlice& slice) {
      const auto by_weight = [&](float* to, const GemmUpdate* by_tiles) {
        conv2d_bwd_weight_f32(shape, x.data(), dy.data(), to, nullptr, slice, 0, shape.out_rows(), blocking,
                              scratch.data(), false, by_tiles);
      };
      by_weight(want.data(), nullptr);
      by_weight(dw.data(), &update);
    });
    const std::int64_t of_group = elements / shape.groups, whole = shape.out_per_group() / 12 * 12 * shape.depth();
    for (std::int64_t i = 0; i < elements; ++i) {
      const bool in_whole = i % of_group < whole;
      ASSERT_EQ(updated[size(i)], in_whole ? want[size(i)] : 3.0f) << i;
      ASSERT_EQ(in_whole ? 0 : dw[size(i)], in_whole ? 0 : want[size(i)]) << i;
    }
  }

  const Conv2dShape shape = GetParam().shape;
  const std::int64_t out_elements = shape.out_rows() * shape.out_channels;
  const std::vector<float> x = uniform(size(in_elements(shape)), 1);
  const std::vector<float> dy = uniform(size(out_elements), 5);
  const std::vector<float> weight = packed_weight(shape);
};

TEST_P(Conv2d, ForwardMatchesReference) {
  for (const ConvBlocking& blocking : {ConvBlocking{}, kSmallBlocks}) {
    forward(Activation::none, false, blocking);
    forward(Activation::relu6, true, blocking);
    forward(Activation::gelu, false, blocking);
  }
}

TEST_P(Conv2d, GradientByDataMatchesReference) {
  for (const ConvBlocking& blocking : {ConvBlocking{}, kSmallBlocks}) {
    by_data(false, blocking);
    by_data(true, blocking);
  }
}

TEST_P(Conv2d, GradientByWeightMatchesReferenceHoweverManyParts) {
  for (const ConvBlocking& blocking : {ConvBlocking{}, kSmallBlocks}) {
    for (const std::int64_t parts : {std::int64_t{1}, std::min<std::int64_t>(3, shape.out_rows())}) {
      by_weight(parts, blocking);
    }
  }
}

TEST_P(Conv2d, WeightGradientOfPanelsIsTheSame) {
  for (const ConvBlocking& blocking : {ConvBlocking{}, kSmallBlocks}) by_weight_of_panels(blocking);
}

TEST_P(Conv2d, WholePanelsOfTheWeightsGradientGoToAnUpdate) {
  for (const ConvBlocking& blocking : {ConvBlocking{}, kSmallBlocks}) by_weight_to_an_update(blocking);
}

INSTANTIATE_TEST_SUITE_P(Shapes, Conv2d, testing::ValuesIn(cases()), [](const auto& test) {
  std::string name;
  for (const char c : test.param.name) name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
});

TEST(ConvBlocking, Pi5CachesGiveTheDefaults) {
  const ConvBlocking blocking = conv_blocking(512 << 10);
  EXPECT_EQ(blocking.depth, ConvBlocking{}.depth);
  EXPECT_EQ(blocking.rows, ConvBlocking{}.rows);
  EXPECT_EQ(blocking.gradient_cols, ConvBlocking{}.gradient_cols);
}

}  // namespace
}  // namespace bramble::kernels
