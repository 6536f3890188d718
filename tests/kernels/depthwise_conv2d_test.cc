#include "kernels/depthwise_conv2d/depthwise_conv2d.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

using test::uniform;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

DepthwiseConv2dShape make_shape(std::int64_t batch, std::int64_t height, std::int64_t width, std::int64_t channels,
                                std::int64_t kernel_height, std::int64_t kernel_width, std::int64_t stride,
                                std::int64_t padding_height, std::int64_t padding_width, std::int64_t dilation) {
  DepthwiseConv2dShape shape{batch,  height,         width,         channels, 0, 0, kernel_height, kernel_width,
                             stride, padding_height, padding_width, dilation};
  shape.out_height = (height + 2 * padding_height - dilation * (kernel_height - 1) - 1) / stride + 1;
  shape.out_width = (width + 2 * padding_width - dilation * (kernel_width - 1) - 1) / stride + 1;
  return shape;
}

DepthwiseConv2dShape make_shape(std::int64_t batch, std::int64_t height, std::int64_t width, std::int64_t channels,
                                std::int64_t kernel_height, std::int64_t kernel_width, std::int64_t stride,
                                std::int64_t padding) {
  return make_shape(batch, height, width, channels, kernel_height, kernel_width, stride, padding, padding, 1);
}

/// Batch, extents, channels, kernel, stride, padding, dilation: the specialised widths at both strides, widths around
/// the tile of 7, every tail of channels, more channels than a block, kernels that no specialised form covers.
std::vector<DepthwiseConv2dShape> shapes() {
  std::vector<DepthwiseConv2dShape> all;
  for (const std::int64_t channels : {1, 3, 4, 7, 8})
    for (const std::int64_t kernel : {1, 3, 5, 7})
      for (const std::int64_t stride : {1, 2, 3})
        for (const std::int64_t extent : {1, 6, 7, 8, 15})
          all.push_back(make_shape(2, extent + 1, extent, channels, kernel, kernel, stride, kernel / 2));
  for (const std::int64_t dilation : {2, 3, 4})
    for (const std::int64_t stride : {1, 2, 4})
      all.push_back(make_shape(1, 17, 16, 5, 3, 3, stride, dilation, dilation, dilation));
  for (const std::int64_t length : {3, 5, 7, 9, 11})
    for (const std::int64_t stride : {1, 2})
      for (const std::int64_t dilation : {1, 2}) {
        const std::int64_t padding = length / 2 * dilation;
        all.push_back(make_shape(2, 13, 14, 6, 1, length, stride, 0, padding, dilation));
        all.push_back(make_shape(2, 13, 14, 6, length, 1, stride, padding, 0, dilation));
        all.push_back(make_shape(1, 15, 14, 7, length, length, stride, padding, padding, dilation));
      }
  all.push_back(make_shape(1, 9, 11, 257, 3, 3, 1, 1));
  all.push_back(make_shape(1, 7, 7, 520, 5, 5, 2, 2));
  all.push_back(make_shape(3, 14, 9, 6, 3, 5, 2, 1));
  all.push_back(make_shape(2, 9, 14, 6, 2, 4, 1, 0));
  all.push_back(make_shape(2, 12, 12, 4, 3, 3, 1, 0));
  all.push_back(make_shape(1, 12, 12, 4, 3, 3, 2, 4));    // outputs that see padding only
  all.push_back(make_shape(1, 40, 40, 4, 11, 11, 1, 5));  // more taps than the table holds
  all.push_back(make_shape(1, 40, 40, 3, 33, 7, 1, 3));
  return all;
}

testing::Message describe(const DepthwiseConv2dShape& s) {
  return testing::Message() << s.batch << "x" << s.in_height << "x" << s.in_width << "x" << s.channels << " kernel "
                            << s.kernel_height << "x" << s.kernel_width << " stride " << s.stride << " padding "
                            << s.padding_height << "x" << s.padding_width << " dilation " << s.dilation;
}

std::size_t size(std::int64_t count) { return static_cast<std::size_t>(count); }
std::size_t x_size(const DepthwiseConv2dShape& s) { return size(s.batch * s.in_height * s.in_width * s.channels); }
std::size_t y_size(const DepthwiseConv2dShape& s) { return size(s.batch * s.out_height * s.out_width * s.channels); }
std::size_t w_size(const DepthwiseConv2dShape& s) { return size(s.taps() * s.channels); }

/// Values are below 1, so `terms` of them summed stay within this of the exact sum.
float tolerance(std::int64_t terms) { return 1e-6f + 1.2e-7f * static_cast<float>(terms); }

void expect_near(const std::vector<float>& actual, std::size_t offset, const std::vector<float>& expected,
                 float allowed) {
  for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(actual[offset + i], expected[i], allowed) << "at " << i;
}

DepthwiseSlice all_rows(const DepthwiseConv2dShape& s, std::int64_t height) {
  return {0, s.batch * height, 0, s.channels};
}
DepthwiseSlice one_row(const DepthwiseConv2dShape& s, std::int64_t row) { return {row, row + 1, 0, s.channels}; }

TEST(DepthwiseConv2d, ForwardMatchesReferenceFromMisalignedStarts) {
  for (const DepthwiseConv2dShape& s : shapes()) {
    SCOPED_TRACE(describe(s));
    const auto x = uniform(x_size(s) + 1, 1), weight = uniform(w_size(s) + 3, 2);
    const auto bias = uniform(size(s.channels) + 1, 3);
    for (const bool clamped : {false, true}) {
      const float minimum = clamped ? 0 : -kInfinity, maximum = clamped ? 0.5f : kInfinity;
      const float* b = clamped ? nullptr : bias.data() + 1;
      std::vector<float> y(y_size(s) + 1, NAN), expected(y_size(s));
      depthwise_conv2d_fwd_f32(s, x.data() + 1, weight.data() + 3, b, minimum, maximum, y.data() + 1,
                               all_rows(s, s.out_height));
      depthwise_conv2d_fwd_f32_ref(s, x.data() + 1, weight.data() + 3, b, minimum, maximum, expected.data());
      expect_near(y, 1, expected, tolerance(s.taps()));
    }
  }
}

TEST(DepthwiseConv2d, GradientOfDataMatchesReferenceFromMisalignedStarts) {
  for (const DepthwiseConv2dShape& s : shapes()) {
    SCOPED_TRACE(describe(s));
    const auto dy = uniform(y_size(s) + 1, 1), weight = uniform(w_size(s) + 3, 2);
    const auto addend = uniform(x_size(s) + 2, 3);
    for (const float* added : {addend.data() + 2, static_cast<const float*>(nullptr)}) {
      std::vector<float> dx(x_size(s) + 1, NAN), expected(x_size(s));
      depthwise_conv2d_bwd_data_f32(s, dy.data() + 1, weight.data() + 3, added, dx.data() + 1,
                                    all_rows(s, s.in_height));
      depthwise_conv2d_bwd_data_f32_ref(s, dy.data() + 1, weight.data() + 3, added, expected.data());
      expect_near(dx, 1, expected, tolerance(s.taps()));
    }
  }
}

TEST(DepthwiseConv2d, GradientOfWeightMatchesReferenceFromMisalignedStarts) {
  for (const DepthwiseConv2dShape& s : shapes()) {
    SCOPED_TRACE(describe(s));
    const auto x = uniform(x_size(s) + 1, 1), dy = uniform(y_size(s) + 3, 2);
    std::vector<float> dw(w_size(s) + 1, NAN), db(size(s.channels) + 1, NAN);
    std::vector<float> expected_dw(w_size(s)), expected_db(size(s.channels));
    const std::int64_t rows = s.batch * s.out_height;
    depthwise_conv2d_bwd_weight_f32(s, x.data() + 1, dy.data() + 3, dw.data() + 1, db.data() + 1,
                                    all_rows(s, s.out_height));
    depthwise_conv2d_bwd_weight_f32_ref(s, x.data() + 1, dy.data() + 3, expected_dw.data(), expected_db.data());
    expect_near(dw, 1, expected_dw, tolerance(rows * s.out_width));
    expect_near(db, 1, expected_db, tolerance(rows * s.out_width));
    depthwise_conv2d_bwd_weight_f32(s, x.data() + 1, dy.data() + 3, dw.data() + 1, nullptr, all_rows(s, s.out_height));
    expect_near(dw, 1, expected_dw, tolerance(rows * s.out_width));
  }
}

// All rows, which takes them in pairs where it can, against one row a call.
TEST(DepthwiseConv2d, EachRowIsTheSameWhoeverComputesIt) {
  for (const DepthwiseConv2dShape& s :
       {make_shape(2, 13, 16, 21, 3, 3, 2, 1), make_shape(2, 9, 16, 20, 3, 3, 1, 1), make_shape(2, 3, 7, 8, 5, 5, 1, 2),
        make_shape(1, 12, 14, 4, 5, 5, 1, 2), make_shape(1, 11, 9, 8, 7, 7, 1, 3), make_shape(1, 4, 8, 5, 7, 7, 1, 4),
        make_shape(1, 4, 8, 4, 7, 7, 1, 4), make_shape(2, 15, 15, 8, 5, 5, 2, 2)}) {
    SCOPED_TRACE(describe(s));
    const auto x = uniform(x_size(s), 1), weight = uniform(w_size(s), 2), dy = uniform(y_size(s), 3);
    const auto addend = uniform(x_size(s), 4);
    std::vector<float> y(y_size(s)), y_by_row(y_size(s)), dx(x_size(s)), dx_by_row(x_size(s));
    for (const float limit : {6.0f, kInfinity}) {
      const float minimum = limit < kInfinity ? 0 : -kInfinity;
      depthwise_conv2d_fwd_f32(s, x.data(), weight.data(), nullptr, minimum, limit, y.data(),
                               all_rows(s, s.out_height));
      for (std::int64_t row = s.batch * s.out_height; row-- > 0;)
        depthwise_conv2d_fwd_f32(s, x.data(), weight.data(), nullptr, minimum, limit, y_by_row.data(), one_row(s, row));
      EXPECT_EQ(y, y_by_row);
    }
    for (const float* added : {addend.data(), static_cast<const float*>(nullptr)}) {
      depthwise_conv2d_bwd_data_f32(s, dy.data(), weight.data(), added, dx.data(), all_rows(s, s.in_height));
      for (std::int64_t row = s.batch * s.in_height; row-- > 0;)
        depthwise_conv2d_bwd_data_f32(s, dy.data(), weight.data(), added, dx_by_row.data(), one_row(s, row));
      EXPECT_EQ(dx, dx_by_row);
    }
  }
}

TEST(DepthwiseConv2d, PartsOfTheWeightsGradientSumToTheWhole) {
  const DepthwiseConv2dShape s = make_shape(2, 10, 9, 7, 3, 3, 1, 1);
  const auto x = uniform(x_size(s), 1), dy = uniform(y_size(s), 3);
  const std::size_t size_of_dw = w_size(s);
  std::vector<float> parts(3 * size_of_dw), dw(size_of_dw), expected(size_of_dw);
  const std::int64_t edges[] = {0, 1, 12, 20};
  for (std::size_t part = 0; part < 3; ++part)
    depthwise_conv2d_bwd_weight_f32(s, x.data(), dy.data(), &parts[part * size_of_dw], nullptr,
                                    {edges[part], edges[part + 1], 0, s.channels});
  for (std::size_t i = 0; i < size_of_dw; ++i) dw[i] = parts[i] + parts[size_of_dw + i] + parts[2 * size_of_dw + i];
  depthwise_conv2d_bwd_weight_f32_ref(s, x.data(), dy.data(), expected.data(), nullptr);
  expect_near(dw, 0, expected, tolerance(180));
}

TEST(DepthwiseConv2d, EachChannelIsTheSameWhoeverComputesIt) {
  const DepthwiseConv2dShape s = make_shape(2, 9, 16, 21, 5, 5, 2, 2);
  const auto x = uniform(x_size(s), 1), weight = uniform(w_size(s), 2), bias = uniform(21, 4),
             dy = uniform(y_size(s), 3);
  std::vector<float> y(y_size(s)), dx(x_size(s)), dw(w_size(s)), db(21);
  std::vector<float> y_by_part(y_size(s), NAN), dx_by_part(x_size(s), NAN), dw_by_part(w_size(s), NAN),
      db_by_part(21, NAN);
  const auto run = [&](std::int64_t first, std::int64_t last, std::vector<float>& to_y, std::vector<float>& to_dx,
                       std::vector<float>& to_dw, std::vector<float>& to_db) {
    const DepthwiseSlice rows{0, s.batch * s.out_height, first, last};
    depthwise_conv2d_fwd_f32(s, x.data(), weight.data(), bias.data(), 0, 6, to_y.data(), rows);
    depthwise_conv2d_bwd_data_f32(s, dy.data(), weight.data(), nullptr, to_dx.data(),
                                  {0, s.batch * s.in_height, first, last});
    depthwise_conv2d_bwd_weight_f32(s, x.data(), dy.data(), to_dw.data(), to_db.data(), rows);
  };
  run(0, 21, y, dx, dw, db);
  for (const auto& [first, last] : {std::pair{16, 21}, {0, 8}, {8, 15}, {15, 16}})
    run(first, last, y_by_part, dx_by_part, dw_by_part, db_by_part);
  EXPECT_EQ(y, y_by_part);
  EXPECT_EQ(dx, dx_by_part);
  EXPECT_EQ(dw, dw_by_part);
  EXPECT_EQ(db, db_by_part);
}

/// Channels [first, last) of rows [begin, end) of an image, in a ring of `capacity` rows; the rest is NaN.
std::vector<float> ring_of(const std::vector<float>& images, std::int64_t row_of_all, std::int64_t begin,
                           std::int64_t end, std::int64_t width, std::int64_t channels, const DepthwiseSlice& slice,
                           std::int64_t capacity) {
  const std::int64_t count = slice.channels();
  std::vector<float> ring(size(capacity * width * count), NAN);
  for (std::int64_t row = begin; row < end; ++row)
    for (std::int64_t p = 0; p < width; ++p)
      std::copy_n(&images[size(((row_of_all + row) * width + p) * channels + slice.channel_begin)], count,
                  &ring[size((row % capacity * width + p) * count)]);
  return ring;
}

TEST(DepthwiseConv2d, RingsOfRowsGiveWhatWholeImagesGive) {
  const DepthwiseConv2dShape s = make_shape(2, 13, 8, 9, 3, 3, 2, 1);
  const auto x = uniform(x_size(s), 1), weight = uniform(w_size(s), 2), dy = uniform(y_size(s), 3);
  std::vector<float> expected(y_size(s)), y(y_size(s)), expected_dw(w_size(s)), dw(w_size(s));
  std::vector<float> expected_dx(x_size(s)), dx(x_size(s));
  for (std::int64_t row = 0; row < s.batch * s.out_height; ++row)
    depthwise_conv2d_bwd_weight_f32(s, x.data(), dy.data(), expected_dw.data(), nullptr, one_row(s, row), row > 0);
  depthwise_conv2d_fwd_f32(s, x.data(), weight.data(), nullptr, 0, 6, expected.data(), all_rows(s, s.out_height));
  depthwise_conv2d_bwd_data_f32(s, dy.data(), weight.data(), nullptr, expected_dx.data(), all_rows(s, s.in_height));
  DepthwiseConv2dShape in_ring = s;
  in_ring.ring = 3;
  in_ring.gradient_ring = 2;
  for (const auto& [first, last] : {std::pair{0, 5}, {5, 9}}) {
    for (std::int64_t row = 0; row < s.batch * s.out_height; ++row) {
      const std::int64_t image = row / s.out_height, oy = row % s.out_height,
                         top = std::max<std::int64_t>(2 * oy - 1, 0);
      const DepthwiseSlice slice{row, row + 1, first, last};
      const auto x_ring = ring_of(x, image * s.in_height, top, std::min(2 * oy + 2, s.in_height), s.in_width,
                                  s.channels, slice, in_ring.ring);
      const auto dy_ring = ring_of(dy, image * s.out_height, oy, oy + 1, s.out_width, s.channels, slice, 2);
      depthwise_conv2d_fwd_f32(in_ring, x_ring.data(), weight.data(), nullptr, 0, 6, y.data(), slice);
      depthwise_conv2d_bwd_weight_f32(in_ring, x_ring.data(), dy_ring.data(), dw.data(), nullptr, slice, row > 0);
    }
    for (std::int64_t row = 0; row < s.batch * s.in_height; ++row) {
      const std::int64_t image = row / s.in_height, iy = row % s.in_height;
      const DepthwiseSlice slice{row, row + 1, first, last};
      const auto dy_ring = ring_of(dy, image * s.out_height, iy / 2, std::min((iy + 1) / 2 + 1, s.out_height),
                                   s.out_width, s.channels, slice, 2);
      depthwise_conv2d_bwd_data_f32(in_ring, dy_ring.data(), weight.data(), nullptr, dx.data(), slice);
    }
  }
  EXPECT_EQ(y, expected);
  EXPECT_EQ(dw, expected_dw);
  EXPECT_EQ(dx, expected_dx);
}

/// Pixels of `channels` as channels [more, more + channels) of pixels of channels + 2 * more; the others are NaN.
std::vector<float> within_wider_pixels(const std::vector<float>& pixels, std::int64_t channels, std::int64_t more) {
  const std::size_t count = size(channels), pitch = size(channels + 2 * more);
  std::vector<float> wider(pixels.size() / count * pitch, NAN);
  for (std::size_t p = 0; p < pixels.size() / count; ++p)
    std::copy_n(&pixels[p * count], count, &wider[p * pitch + size(more)]);
  return wider;
}

TEST(DepthwiseConv2d, ChannelsOfWiderPixelsGiveWhatDenseOnesGive) {
  for (const DepthwiseConv2dShape& s : shapes()) {
    SCOPED_TRACE(describe(s));
    const auto x = uniform(x_size(s), 1), weight = uniform(w_size(s), 2), dy = uniform(y_size(s), 3),
               addend = uniform(x_size(s), 4);
    DepthwiseConv2dShape in_wider = s;
    in_wider.x_pitch = s.channels + 2, in_wider.dy_pitch = s.channels + 6, in_wider.addend_pitch = s.channels + 10;
    const auto wide_x = within_wider_pixels(x, s.channels, 1), wide_dy = within_wider_pixels(dy, s.channels, 3),
               wide_addend = within_wider_pixels(addend, s.channels, 5);
    std::vector<float> y(y_size(s)), dx(x_size(s)), dw(w_size(s)), db(size(s.channels));
    std::vector<float> expected_y(y), expected_dx(dx), expected_dw(dw), expected_db(db);
    const auto run = [&](const DepthwiseConv2dShape& shape, const float* from_x, const float* from_dy,
                         const float* added, std::vector<float>& to_y, std::vector<float>& to_dx,
                         std::vector<float>& to_dw, std::vector<float>& to_db) {
      const DepthwiseSlice rows = all_rows(s, s.out_height);
      depthwise_conv2d_fwd_f32(shape, from_x, weight.data(), nullptr, 0, 6, to_y.data(), rows);
      depthwise_conv2d_bwd_data_f32(shape, from_dy, weight.data(), added, to_dx.data(), all_rows(s, s.in_height));
      depthwise_conv2d_bwd_weight_f32(shape, from_x, from_dy, to_dw.data(), to_db.data(), rows);
    };
    run(s, x.data(), dy.data(), addend.data(), expected_y, expected_dx, expected_dw, expected_db);
    run(in_wider, &wide_x[1], &wide_dy[3], &wide_addend[5], y, dx, dw, db);
    ASSERT_EQ(y, expected_y);
    ASSERT_EQ(dx, expected_dx);
    ASSERT_EQ(dw, expected_dw);
    ASSERT_EQ(db, expected_db);
  }
}

TEST(DepthwiseConv2d, PaddingContributesZeros) {
  const DepthwiseConv2dShape s = make_shape(1, 2, 2, 1, 1, 1, 1, 1);
  const std::vector<float> x(4, 1.0f), weight(1, 2.0f);
  std::vector<float> y(y_size(s));
  depthwise_conv2d_fwd_f32(s, x.data(), weight.data(), nullptr, -kInfinity, kInfinity, y.data(),
                           all_rows(s, s.out_height));
  const std::vector<float> expected{0, 0, 0, 0, 0, 2, 2, 0, 0, 2, 2, 0, 0, 0, 0, 0};
  EXPECT_EQ(y, expected);
}

}  // namespace
}  // namespace bramble::kernels
