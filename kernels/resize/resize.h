// Images of another size, as PyTorch's interpolate makes them. fp32, NHWC. No allocation, threads or state; any alignment
// (of 4 bytes).
#pragma once

#include <cstddef>
#include <cstdint>

namespace bramble::kernels {

/// bilinear_corners is PyTorch's align_corners = True: the corners keep their values. adaptive_average is its
/// adaptive_avg_pool2d, to images that are not smaller.
enum class ResizeMode : std::uint8_t { nearest, bilinear, bilinear_corners, adaptive_average };

struct ResizeShape {
  std::size_t batch = 1;
  std::size_t height = 1;
  std::size_t width = 1;
  std::size_t channels = 1;
  std::size_t out_height = 1;
  std::size_t out_width = 1;
};

/// What position `at` of `out` along one axis is made of: (1 - share) * x[first] + share * x[second].
/// nearest: floor(at * in / out). bilinear: around max((at + 0.5) * in / out - 0.5, 0), within the image.
/// bilinear_corners: around at * (in - 1) / (out - 1), 0 where out is 1.
/// adaptive_average: the mean of floor(at * in / out) to ceil((at + 1) * in / out), which are two at most as out >= in.
struct ResizeTaps {
  std::size_t first;
  std::size_t second;
  float share;
};
ResizeTaps resize_taps(ResizeMode mode, std::size_t in, std::size_t out, std::size_t at);

/// y[n][h][w][c] = the taps of h and w applied to x[n][...][...][c], for rows [row_begin, row_end) of the
/// batch * out_height rows of y.
void resize_fwd_f32(ResizeMode mode, const ResizeShape& shape, std::size_t row_begin, std::size_t row_end,
                    const float* x, float* y);
void resize_fwd_f32_ref(ResizeMode mode, const ResizeShape& shape, const float* x, float* y);

/// dx (=), for rows [row_begin, row_end) of the batch * height rows of dx.
void resize_bwd_f32(ResizeMode mode, const ResizeShape& shape, std::size_t row_begin, std::size_t row_end,
                    const float* dy, float* dx);
void resize_bwd_f32_ref(ResizeMode mode, const ResizeShape& shape, const float* dy, float* dx);

}  // namespace bramble::kernels
