// Forward and by-data: a tile of output pixels of one row gathers its taps, four channels at a time, with the pixels'
// sums in registers. Pixels outside the image are read from a block of zeros, so borders cost no more than the rest.
#include <algorithm>
#include <cstddef>
#include <limits>

#include "kernels/depthwise_conv2d/depthwise_conv2d.h"
#include "kernels/depthwise_conv2d/lanes.h"
#include "kernels/depthwise_conv2d/taps.h"
#include "kernels/simd/neon.h"

namespace bramble::kernels {
namespace {

using depthwise::AxisTaps;
using depthwise::kChannelBlock;
using depthwise::SourceImage;
using depthwise::TapTable;

/// Output pixels of a tile: with the kernel's row of weights and a source pixel 15 registers at most, and the widths
/// of the usual networks (7 to 112) are multiples of it.
constexpr int kTile = 7;

/// What does not change over a call.
struct Filter {
  const float* weight = nullptr;  ///< [taps][channels], at the block's first channel
  const float* bias = nullptr;    ///< or null
  std::int64_t kernel_width = 1;
  std::int64_t channels = 0;  ///< of the tensors
  std::int64_t block = 0;     ///< channels to compute
  float minimum = 0;
  float maximum = 0;
  bool clamped = false;
};

/// A row of outputs, or every so-manyth pixel of one.
struct OutputRow {
  float* pixels = nullptr;
  std::int64_t pixel_step = 0;  ///< elements between computed pixels
  std::int64_t count = 0;
};

/// The sums of kTile pixels over the table's groups, for the four channels from c on, or the last ones.
template <int kWidth, int kStep, int kPixels, class Lanes>
inline void gather_vector(const TapTable<kWidth, kStep, kPixels>& table, const Filter& filter, const float* initial,
                          std::int64_t initial_step, bool clamp, float* out, std::int64_t out_step, std::int64_t c,
                          Lanes lanes) {
  constexpr int kColumns = TapTable<kWidth, kStep, kPixels>::kColumns;
  float32x4_t sum[kPixels];
#pragma GCC unroll 8
  for (int t = 0; t < kPixels; ++t) sum[t] = initial ? lanes.load(initial + t * initial_step + c) : vdupq_n_f32(0);
  const std::int64_t weight_step = table.tap_step() * filter.channels;
  for (int group = 0; group < table.groups(); ++group) {
    const float* weight = filter.weight + table.first_tap(group) * filter.channels + c;
    const float* const* columns = table.columns(group);
    float32x4_t w[kWidth];
#pragma GCC unroll 8
    for (int m = 0; m < kWidth; ++m) w[m] = lanes.load(weight + m * weight_step);
#pragma GCC unroll 32
    for (int j = 0; j < kColumns; ++j) {
      const float32x4_t pixel = lanes.load(columns[j] + c);
#pragma GCC unroll 8
      for (int t = 0; t < kPixels; ++t) {
        const int m = j - t * kStep;
        if (m >= 0 && m < kWidth) sum[t] = vfmaq_f32(sum[t], pixel, w[m]);
      }
    }
  }
  if (clamp) {
    const float32x4_t minimum = vdupq_n_f32(filter.minimum);
    const float32x4_t maximum = vdupq_n_f32(filter.maximum);
#pragma GCC unroll 8
    for (int t = 0; t < kPixels; ++t) sum[t] = vminq_f32(vmaxq_f32(sum[t], minimum), maximum);
  }
#pragma GCC unroll 8
  for (int t = 0; t < kPixels; ++t) lanes.store(out + t * out_step + c, sum[t]);
}

template <int kWidth, int kStep, int kPixels>
void gather_tile(const SourceImage& source, const AxisTaps& vertical, std::int64_t row, const AxisTaps& horizontal,
                 std::int64_t position, const Filter& filter, float* out, std::int64_t out_step) {
  TapTable<kWidth, kStep, kPixels> table(source, vertical, row, horizontal, position, filter.kernel_width);
  const float* initial = filter.bias;
  std::int64_t initial_step = 0;
  const std::int64_t whole = filter.block & ~std::int64_t{3};
  const auto tail = static_cast<std::size_t>(filter.block - whole);
  for (bool more = true; more;) {
    more = table.fill();
    const bool clamp = filter.clamped && !more;
    for (std::int64_t c = 0; c < whole; c += 4)
      gather_vector(table, filter, initial, initial_step, clamp, out, out_step, c, depthwise::WholeLanes{});
    if (tail != 0)
      gather_vector(table, filter, initial, initial_step, clamp, out, out_step, whole, depthwise::PartialLanes{tail});
    // Kernels with more groups than the table holds: the next ones add to what is there.
    initial = out;
    initial_step = out_step;
  }
}

template <int kWidth, int kStep>
void gather_row(const SourceImage& source, const AxisTaps& vertical, std::int64_t row, const AxisTaps& horizontal,
                const Filter& filter, const OutputRow& out) {
  std::int64_t position = 0;
  if (out.count >= kTile) {
    // The last tile ends with the row: the pixels that it shares with its neighbour are computed twice, to the same bits.
    for (; position < out.count; position += kTile) {
      const std::int64_t start = std::min(position, out.count - kTile);
      gather_tile<kWidth, kStep, kTile>(source, vertical, row, horizontal, start, filter,
                                        out.pixels + start * out.pixel_step, out.pixel_step);
    }
    return;
  }
  for (; position < out.count; ++position)
    gather_tile<kWidth, kStep, 1>(source, vertical, row, horizontal, position, filter,
                                  out.pixels + position * out.pixel_step, out.pixel_step);
}

}  // namespace

void depthwise_conv2d_fwd_f32(const DepthwiseConv2dShape& shape, const float* x, const float* weight, const float* bias,
                              float minimum, float maximum, float* y, std::int64_t row_begin, std::int64_t row_end) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const bool clamped = minimum > -kInfinity || maximum < kInfinity;
  const AxisTaps vertical = depthwise::forward_taps(shape.kernel_height, shape.stride, shape.padding, shape.dilation);
  const AxisTaps horizontal = depthwise::forward_taps(shape.kernel_width, shape.stride, shape.padding, shape.dilation);
  const std::int64_t image = shape.in_height * shape.in_width * shape.channels;
  for (std::int64_t c = 0; c < shape.channels; c += kChannelBlock) {
    const Filter filter{weight + c,     bias ? bias + c : nullptr,                      shape.kernel_width,
                        shape.channels, std::min(kChannelBlock, shape.channels - c), minimum,
                        maximum,        clamped};
    for (std::int64_t row = row_begin; row < row_end; ++row) {
      const SourceImage source{x + row / shape.out_height * image + c, shape.in_height, shape.in_width, shape.channels};
      const OutputRow out{y + row * shape.out_width * shape.channels + c, shape.channels, shape.out_width};
      depthwise::dispatch_width(horizontal, [&]<int kWidth, int kStep>() {
        gather_row<kWidth, kStep>(source, vertical, row % shape.out_height, horizontal, filter, out);
      });
    }
  }
}

void depthwise_conv2d_bwd_data_f32(const DepthwiseConv2dShape& shape, const float* dy, const float* weight, float* dx,
                                   std::int64_t row_begin, std::int64_t row_end) {
  const std::int64_t image = shape.out_height * shape.out_width * shape.channels;
  for (std::int64_t c = 0; c < shape.channels; c += kChannelBlock) {
    const Filter filter{weight + c,     nullptr, shape.kernel_width,
                        shape.channels, std::min(kChannelBlock, shape.channels - c)};
    for (std::int64_t row = row_begin; row < row_end; ++row) {
      const std::int64_t iy = row % shape.in_height;
      const AxisTaps vertical = depthwise::backward_taps(shape.kernel_height, shape.stride, shape.padding,
                                                         shape.dilation, iy % shape.stride);
      const SourceImage source{dy + row / shape.in_height * image + c, shape.out_height, shape.out_width,
                               shape.channels};
      // Pixels of one phase see the same taps: with stride 2, the even and the odd ones.
      for (std::int64_t phase = 0; phase < std::min(shape.stride, shape.in_width); ++phase) {
        const AxisTaps horizontal =
            depthwise::backward_taps(shape.kernel_width, shape.stride, shape.padding, shape.dilation, phase);
        const OutputRow out{dx + (row * shape.in_width + phase) * shape.channels + c, shape.stride * shape.channels,
                            (shape.in_width - phase + shape.stride - 1) / shape.stride};
        depthwise::dispatch_width(horizontal, [&]<int kWidth, int kStep>() {
          gather_row<kWidth, kStep>(source, vertical, iy / shape.stride, horizontal, filter, out);
        });
      }
    }
  }
}

}  // namespace bramble::kernels
