#include "kernels/winograd_conv2d/winograd_conv2d.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

using test::uniform;

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

// Small blocks, so that small shapes cross their borders too.
WinogradConv2d with_small_blocks(WinogradConv2d conv) {
  conv.depth_step = std::min<std::int64_t>(conv.source.channels, 8);
  conv.tile_step = 8;
  conv.col_step = 12;
  return conv;
}

WinogradGradient with_small_blocks(WinogradGradient gradient) {
  gradient.tile_step = 5;
  gradient.depth_step = 7;
  gradient.row_step = 8;
  gradient.col_step = 12;
  return gradient;
}

// Poisoned: what a kernel leaves unwritten shows.
std::vector<float> poisoned(std::int64_t n) {
  return std::vector<float>(size(n), std::numeric_limits<float>::quiet_NaN());
}

struct Case {
  Conv2dShape shape;
  WinogradTile tile;
  std::string name;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  const auto add = [&](std::int64_t batch, std::int64_t height, std::int64_t width, std::int64_t in, std::int64_t out,
                       std::int64_t padding, const std::string& name) {
    for (const WinogradTile tile : {WinogradTile::two, WinogradTile::four}) {
      all.push_back({{batch, height, width, in, out, 3, 3, 1, padding, 1, 1},
                     tile,
                     name + (tile == WinogradTile::two ? "_F2" : "_F4")});
    }
  };
  add(1, 1, 1, 1, 1, 1, "OnePixel");
  add(1, 3, 3, 1, 1, 0, "OneOutput");
  add(2, 8, 8, 8, 12, 1, "WholeTilesAndPanels");
  add(1, 7, 7, 16, 24, 1, "OddSides");
  add(3, 5, 6, 3, 7, 1, "ChannelsOfNoVector");
  add(1, 9, 10, 7, 3, 2, "FullPadding");
  add(1, 11, 6, 20, 13, 0, "NoPadding");
  add(1, 2, 15, 5, 40, 1, "LowImage");
  add(1, 1, 3, 4, 28, 2, "LowerThanTheKernel");
  add(2, 14, 13, 36, 33, 1, "ManyTiles");
  add(1, 6, 6, 150, 77, 1, "DeeperThanABlock");
  return all;
}

// Errors of F(4 x 4) are several times those of direct summation.
void expect_near(const std::vector<float>& got, const std::vector<float>& want, std::int64_t depth, WinogradTile tile) {
  const double bound = (tile == WinogradTile::two ? 1e-6 : 6e-6) * (4.0 + 3.0 * std::sqrt(static_cast<double>(depth)));
  for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], want[i], bound) << "at " << i;
}

std::vector<float> packed_weight(const Conv2dShape& shape) {
  const auto torch = uniform(size(shape.out_channels * shape.depth()), 7);
  std::vector<float> packed(size(packed_weight_elements(shape.weight())));
  pack_weight_f32(shape.weight(), torch.data(), packed.data());
  return packed;
}

std::int64_t in_elements(const Conv2dShape& s) { return s.batch * s.in_height * s.in_width * s.in_channels; }

// Calls run(block) for blocks that cover `tiles` x `cols`.
template <class Run>
void in_blocks(std::int64_t tiles, std::int64_t cols, Run run) {
  for (std::int64_t i = 0; i < tiles; i += 16) {
    for (std::int64_t j = 0; j < cols; j += 24) {
      run(WinogradBlock{i, std::min<std::int64_t>(i + 16, tiles), j, std::min<std::int64_t>(j + 24, cols)});
    }
  }
}

class WinogradConv2dTest : public testing::TestWithParam<Case> {
 protected:
  // Block by block, then through memory.
  void expect_result(const WinogradConv2d& conv, const std::vector<float>& source,
                     const std::vector<float>& transformed, const GemmEpilogue& epilogue,
                     const std::vector<float>& want) {
    auto got = poisoned(static_cast<std::int64_t>(want.size()));
    auto scratch = poisoned(winograd_conv2d_scratch(conv));
    in_blocks(conv.tiles, conv.result.channels, [&](const WinogradBlock& block) {
      winograd_conv2d_f32(conv, source.data(), transformed.data(), got.data(), epilogue, block, scratch.data());
    });
    expect_near(got, want, 9 * conv.source.channels, tile);

    got = poisoned(static_cast<std::int64_t>(want.size()));
    auto inputs = poisoned(conv.points() * conv.input_stride()), sums = poisoned(conv.points() * conv.sum_stride());
    in_blocks(conv.tiles, 1, [&](const WinogradBlock& block) {
      winograd_input_f32(conv, source.data(), block.tile_begin, block.tile_end, inputs.data());
    });
    in_blocks(conv.tiles, conv.result.channels, [&](const WinogradBlock& block) {
      for (std::int64_t point = 0; point < conv.points(); ++point) {
        winograd_multiply_f32(conv, inputs.data(), transformed.data(), point, block, sums.data());
      }
    });
    in_blocks(conv.tiles, conv.result.channels,
              [&](const WinogradBlock& block) { winograd_output_f32(conv, sums.data(), epilogue, block, got.data()); });
    expect_near(got, want, 9 * conv.source.channels, tile);
  }

  void forward(const WinogradConv2d& conv, const float* bias, const float* residual, Activation activation,
               bool with_preactivation) {
    auto transformed = poisoned(conv.points() * conv.weight_stride());
    in_blocks(1, shape.out_channels, [&](const WinogradBlock& block) {
      winograd_fwd_weight_f32(conv, weight.data(), block.channel_begin, block.channel_end, transformed.data());
    });
    auto want = poisoned(out_elements), want_z = want, got_z = want;
    GemmEpilogue epilogue{bias, residual, with_preactivation ? want_z.data() : nullptr, activation};
    conv2d_fwd_f32_ref(shape, x.data(), weight.data(), want.data(), epilogue);
    if (with_preactivation) epilogue.preactivation = got_z.data();
    expect_result(conv, x, transformed, epilogue, want);
    if (with_preactivation) expect_near(got_z, want_z, shape.depth(), tile);
  }

  void by_data(const WinogradConv2d& conv, const float* addend) {
    auto transformed = poisoned(conv.points() * conv.weight_stride());
    in_blocks(1, shape.in_channels, [&](const WinogradBlock& block) {
      winograd_bwd_data_weight_f32(conv, weight.data(), block.channel_begin, block.channel_end, transformed.data());
    });
    auto want = poisoned(in_elements(shape));
    conv2d_bwd_data_f32_ref(shape, dy.data(), weight.data(), addend, want.data());
    GemmEpilogue epilogue;
    epilogue.residual = addend;
    expect_result(conv, dy, transformed, epilogue, want);
  }

  void by_weight(const WinogradGradient& gradient, std::int64_t parts) {
    const auto elements = static_cast<std::int64_t>(weight.size());
    auto dw_parts = poisoned(parts * elements);
    auto scratch = poisoned(winograd_conv2d_bwd_weight_scratch(gradient));
    for (std::int64_t part = 0; part < parts; ++part) {
      const WinogradRange tiles{gradient.tiles * part / parts, gradient.tiles * (part + 1) / parts};
      in_blocks(shape.in_channels, shape.out_channels, [&](const WinogradBlock& block) {
        winograd_conv2d_bwd_weight_f32(gradient, x.data(), dy.data(), dw_parts.data() + part * elements, tiles,
                                       {block.tile_begin, block.tile_end}, {block.channel_begin, block.channel_end},
                                       scratch.data());
      });
    }
    auto dw = poisoned(elements), want = dw;
    sum_parts_f32(dw_parts.data(), parts, elements, 0, elements, dw.data());
    conv2d_bwd_weight_f32_ref(shape, x.data(), dy.data(), want.data(), nullptr);
    expect_near(dw, want, shape.out_rows(), tile);
  }

  void by_weight_through_memory(const WinogradGradient& gradient) {
    auto inputs = poisoned(gradient.points() * gradient.input_stride());
    auto gradients = poisoned(gradient.points() * gradient.gradient_stride());
    auto sums = poisoned(gradient.points() * gradient.sum_stride());
    in_blocks(gradient.tiles, 1, [&](const WinogradBlock& block) {
      const WinogradRange tiles{block.tile_begin, block.tile_end};
      winograd_bwd_weight_input_f32(gradient, x.data(), tiles, inputs.data());
      winograd_bwd_weight_gradient_f32(gradient, dy.data(), tiles, gradients.data());
    });
    for (std::int64_t point = 0; point < gradient.points(); ++point) {
      winograd_bwd_weight_multiply_f32(gradient, inputs.data(), gradients.data(), point, sums.data());
    }
    auto dw = poisoned(static_cast<std::int64_t>(weight.size())), want = dw;
    in_blocks(shape.in_channels, shape.out_channels, [&](const WinogradBlock& block) {
      winograd_bwd_weight_output_f32(gradient, sums.data(), {block.tile_begin, block.tile_end},
                                     {block.channel_begin, block.channel_end}, dw.data());
    });
    conv2d_bwd_weight_f32_ref(shape, x.data(), dy.data(), want.data(), nullptr);
    expect_near(dw, want, shape.out_rows(), tile);
  }

  const Conv2dShape shape = GetParam().shape;
  const WinogradTile tile = GetParam().tile;
  const std::int64_t out_elements = shape.out_rows() * shape.out_channels;
  const std::vector<float> x = uniform(size(in_elements(shape)), 1);
  const std::vector<float> dy = uniform(size(out_elements), 5);
  const std::vector<float> weight = packed_weight(shape);
};

TEST_P(WinogradConv2dTest, ForwardMatchesReference) {
  const auto bias = uniform(size(shape.out_channels), 2), residual = uniform(size(out_elements), 3);
  const WinogradConv2d conv = winograd_conv2d_fwd(shape, tile);
  for (const WinogradConv2d& blocked : {conv, with_small_blocks(conv)}) {
    forward(blocked, nullptr, nullptr, Activation::none, false);
    forward(blocked, bias.data(), nullptr, Activation::none, true);
    forward(blocked, bias.data(), residual.data(), Activation::relu6, false);
    forward(blocked, nullptr, residual.data(), Activation::relu, false);
    forward(blocked, bias.data(), nullptr, Activation::gelu, true);
  }
}

TEST_P(WinogradConv2dTest, GradientByDataMatchesReference) {
  const auto addend = uniform(size(in_elements(shape)), 4);
  const WinogradConv2d conv = winograd_conv2d_bwd_data(shape, tile);
  for (const WinogradConv2d& blocked : {conv, with_small_blocks(conv)}) {
    by_data(blocked, nullptr);
    by_data(blocked, addend.data());
  }
}

TEST_P(WinogradConv2dTest, GradientByWeightMatchesReferenceHoweverManyParts) {
  const WinogradGradient gradient = winograd_conv2d_bwd_weight(shape, tile);
  for (const WinogradGradient& blocked : {gradient, with_small_blocks(gradient)}) {
    for (const std::int64_t parts : {std::int64_t{1}, std::min<std::int64_t>(3, gradient.tiles)}) {
      by_weight(blocked, parts);
    }
    by_weight_through_memory(blocked);
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, WinogradConv2dTest, testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace bramble::kernels
