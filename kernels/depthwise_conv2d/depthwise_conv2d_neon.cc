// Forward and by-data: both gather. Pixels outside the image are read from a block of zeros, so borders cost no more
// than the rest.
#include <algorithm>
#include <cstddef>

#include "kernels/depthwise_conv2d/depthwise_conv2d.h"
#include "kernels/depthwise_conv2d/gather_rows_neon.h"
#include "kernels/depthwise_conv2d/taps.h"

namespace bramble::kernels {
namespace {

using depthwise::AxisTaps;
using depthwise::Finish;
using depthwise::kChannelBlock;
using depthwise::OutputRows;
using depthwise::SourceImage;
using Filter = depthwise::Filter<const float>;

/// Calls run(image, first row in it, rows) for the images of a slice's rows, of `height` each.
template <class Run>
void for_each_image(const DepthwiseSlice& slice, std::int64_t height, Run run) {
  for (std::int64_t row = slice.row_begin, next = 0; row < slice.row_end; row = next) {
    const std::int64_t image = row / height;
    next = std::min(slice.row_end, (image + 1) * height);
    run(image, row - image * height, next - row);
  }
}

}  // namespace

void depthwise_conv2d_fwd_f32(const DepthwiseConv2dShape& shape, const float* x, const float* weight, const float* bias,
                              float minimum, float maximum, float* y, const DepthwiseSlice& slice) {
  const AxisTaps vertical =
      depthwise::forward_taps(shape.kernel_height, shape.stride, shape.padding_height, shape.dilation);
  const AxisTaps horizontal =
      depthwise::forward_taps(shape.kernel_width, shape.stride, shape.padding_width, shape.dilation);
  const std::int64_t widest = shape.stride > 1 && shape.ring == 0 ? depthwise::kWideChannelBlock : kChannelBlock;
  for (std::int64_t c = slice.channel_begin; c < slice.channel_end; c += widest) {
    const Filter filter{weight + c, shape.kernel_width, shape.channels};
    const Finish finish{bias ? bias + c : nullptr, minimum, maximum};
    const std::int64_t block = std::min(widest, slice.channel_end - c);
    for_each_image(slice, shape.out_height, [&](std::int64_t image, std::int64_t row, std::int64_t rows) {
      const SourceImage source = depthwise::forward_source(shape, x, image, slice, c);
      const std::int64_t row_step = shape.out_width * shape.channels;
      OutputRows out{y + (image * shape.out_height + row) * row_step + c};
      out.pixel_step = shape.channels;
      out.row_step = row_step;
      out.count = shape.out_width;
      out.block = block;
      depthwise::gather_rows<false>(source, filter, vertical, row, horizontal, finish.needed() ? &finish : nullptr, out,
                                    rows);
    });
  }
}

void depthwise_conv2d_bwd_data_f32(const DepthwiseConv2dShape& shape, const float* dy, const float* weight,
                                   const float* addend, float* dx, const DepthwiseSlice& slice) {
  for (std::int64_t c = slice.channel_begin; c < slice.channel_end; c += kChannelBlock) {
    const Filter filter{weight + c, shape.kernel_width, shape.channels};
    const std::int64_t block = std::min(kChannelBlock, slice.channel_end - c);
    for_each_image(slice, shape.in_height, [&](std::int64_t image, std::int64_t first_row, std::int64_t rows) {
      const SourceImage source = depthwise::gradient_source(shape, dy, image, slice, c);
      // Pixels of one phase see the same taps: with stride 2, the even and the odd ones, of rows and of a row.
      for (std::int64_t skip = 0; skip < std::min(shape.stride, rows); ++skip) {
        const std::int64_t iy = first_row + skip, of_phase = (rows - skip + shape.stride - 1) / shape.stride;
        const AxisTaps vertical = depthwise::backward_taps(shape.kernel_height, shape.stride, shape.padding_height,
                                                           shape.dilation, iy % shape.stride);
        for (std::int64_t phase = 0; phase < std::min(shape.stride, shape.in_width); ++phase) {
          const AxisTaps horizontal =
              depthwise::backward_taps(shape.kernel_width, shape.stride, shape.padding_width, shape.dilation, phase);
          const std::int64_t pixel = (image * shape.in_height + iy) * shape.in_width + phase;
          OutputRows out{dx + pixel * shape.channels + c, addend ? addend + pixel * shape.addend_pitch + c : nullptr};
          out.pixel_step = shape.stride * shape.channels;
          out.addend_step = shape.stride * shape.addend_pitch;
          out.row_step = out.pixel_step * shape.in_width;
          out.addend_row_step = out.addend_step * shape.in_width;
          out.count = (shape.in_width - phase + shape.stride - 1) / shape.stride;
          out.block = block;
          if (addend != nullptr)
            depthwise::gather_rows<true>(source, filter, vertical, iy / shape.stride, horizontal, nullptr, out, of_phase);
          else
            depthwise::gather_rows<false>(source, filter, vertical, iy / shape.stride, horizontal, nullptr, out, of_phase);
        }
      }
    });
  }
}

}  // namespace bramble::kernels
