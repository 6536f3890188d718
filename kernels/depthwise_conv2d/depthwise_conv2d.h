// Depthwise 2-D convolution on NHWC activations: every channel has its own filter. fp32.
//
//   y[n][oy][ox][c] = bias[c] + sum over ky, kx of
//                     x[n][oy*stride - padding_height + ky*dilation][ox*stride - padding_width + kx*dilation][c]
//                     * weight[ky][kx][c]
//
// where x outside the image is 0. All are dense, x [batch][in_height][in_width][channels],
// y [batch][out_height][out_width][channels], weight [kernel_height][kernel_width][channels], but what is read may be
// some channels of wider pixels (x_pitch, …; the references' operands are dense). Any extents, aligned to 4 bytes only;
// outputs alias nothing. The functions allocate nothing, keep no state and compute the rows they are told to, so rows
// and channels may be divided freely.
#pragma once

#include <cstdint>

namespace bramble::kernels {

/// Extents in elements; kernel, stride and dilation at least 1, padding at least 0.
struct DepthwiseConv2dShape {
  std::int64_t batch = 1;
  std::int64_t in_height = 1;
  std::int64_t in_width = 1;
  std::int64_t channels = 1;
  std::int64_t out_height = 1;
  std::int64_t out_width = 1;
  std::int64_t kernel_height = 1;
  std::int64_t kernel_width = 1;
  std::int64_t stride = 1;
  std::int64_t padding_height = 0;
  std::int64_t padding_width = 0;
  std::int64_t dilation = 1;
  /// Of the forward's and by-weight's x. 0: all images lie one after the other. Else only what a slice needs of one
  /// image: row iy at x + (iy % ring) * in_width * the slice's channels, for rows that were made on the way in.
  std::int64_t ring = 0;
  /// The same of the backward's dy, row oy at dy + (oy % gradient_ring) * out_width * the slice's channels.
  std::int64_t gradient_ring = 0;
  /// Elements from pixel to pixel of x and of the backward's dy, where they are no rings, and of its addend.
  std::int64_t x_pitch = channels;
  std::int64_t dy_pitch = channels;
  std::int64_t addend_pitch = channels;

  std::int64_t taps() const { return kernel_height * kernel_width; }
};

/// What one call computes: rows of all images, and channels.
struct DepthwiseSlice {
  std::int64_t row_begin = 0;
  std::int64_t row_end = 0;
  std::int64_t channel_begin = 0;
  std::int64_t channel_end = 0;

  std::int64_t channels() const { return channel_end - channel_begin; }
};

/// y = min(max(conv(x, weight) + bias, minimum), maximum) for a slice of the batch * out_height rows of y. bias may be
/// null (0). Infinite bounds for no activation, [0, inf] for ReLU, [0, 6] for ReLU6.
void depthwise_conv2d_fwd_f32(const DepthwiseConv2dShape& shape, const float* x, const float* weight, const float* bias,
                              float minimum, float maximum, float* y, const DepthwiseSlice& slice);
void depthwise_conv2d_fwd_f32_ref(const DepthwiseConv2dShape& shape, const float* x, const float* weight,
                                  const float* bias, float minimum, float maximum, float* y);

/// dx (=) for a slice of the batch * in_height rows of dx:
///   dx[n][iy][ix][c] = sum over ky, kx with an output pixel there of dy[n][oy][ox][c] * weight[ky][kx][c]
///                      + addend[n][iy][ix][c],
///   oy*stride = iy + padding_height - ky*dilation, ox likewise. addend may be null (0).
void depthwise_conv2d_bwd_data_f32(const DepthwiseConv2dShape& shape, const float* dy, const float* weight,
                                   const float* addend, float* dx, const DepthwiseSlice& slice);
void depthwise_conv2d_bwd_data_f32_ref(const DepthwiseConv2dShape& shape, const float* dy, const float* weight,
                                       const float* addend, float* dx);

/// One part's share (=, or with `accumulate` +=) of the weight's and the bias's gradients, over a slice of the batch *
/// out_height rows of dy:
///   dw[ky][kx][c] = sum over n, oy, ox of x[n][oy*stride - padding_height + ky*dilation][...][c] * dy[n][oy][ox][c]
///   db[c]         = sum over n, oy, ox of dy[n][oy][ox][c]
/// db may be null.
void depthwise_conv2d_bwd_weight_f32(const DepthwiseConv2dShape& shape, const float* x, const float* dy, float* dw,
                                     float* db, const DepthwiseSlice& slice, bool accumulate = false);
void depthwise_conv2d_bwd_weight_f32_ref(const DepthwiseConv2dShape& shape, const float* x, const float* dy, float* dw,
                                         float* db);

}  // namespace bramble::kernels
