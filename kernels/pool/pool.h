// Pooling over NHWC images. A slice is a range of rows: of outputs [N * OH] in the forward, of inputs [N * H] in the
// backward, which gathers, so that every element has one writer and one order of additions. Dense tensors given by
// their first element, any number of channels, any alignment (of 4 bytes). No allocation, threads or state.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bramble::kernels {

struct PoolShape {
  std::size_t batch, height, width, channels;  ///< of x
  std::size_t out_height, out_width;           ///< of y
  std::size_t kernel, stride, padding;         ///< 2 * padding <= kernel <= 15
};

/// The rows of x, of its [N * H], that outputs [begin, end) see, both of one image.
struct PoolRows {
  std::size_t begin, end;
};
PoolRows pooled_rows(const PoolShape& shape, std::size_t row_begin, std::size_t row_end);

/// y[n][oh][ow][c] = max over taps (kh, kw) of x[n][oh * stride - padding + kh][ow * stride - padding + kw][c],
/// argmax[n][oh][ow][c] = kh * kernel + kw of the first that is largest. Taps in the padding do not take part.
/// argmax may be nullptr. `x` begins with row `first_row` of its [N * H], and need not have more than the slice reads.
void max_pool2d_fwd_f32(const PoolShape& shape, std::size_t row_begin, std::size_t row_end, const float* x, float* y,
                        std::uint8_t* argmax, std::size_t first_row = 0);

/// dx[n][h][w][c] (=) the sum of dy[n][oh][ow][c] over the windows whose argmax is that element, in row-major order.
/// `dx` begins with row `first_row` of its [N * H].
void max_pool2d_bwd_f32(const PoolShape& shape, std::size_t row_begin, std::size_t row_end, const float* dy,
                        const std::uint8_t* argmax, float* dx, std::size_t first_row = 0);

/// y = the window's sum / its count: kernel^2 with count_include_pad, else the taps that lie within x.
void avg_pool2d_fwd_f32(const PoolShape& shape, bool count_include_pad, std::size_t row_begin, std::size_t row_end,
                        const float* x, float* y);

/// dx[n][h][w][c] (=) the sum of dy / count over the windows that hold that element, in row-major order.
void avg_pool2d_bwd_f32(const PoolShape& shape, bool count_include_pad, std::size_t row_begin, std::size_t row_end,
                        const float* dy, float* dx);

/// y[n][c] = mean over the pixels of x[n][pixels][c], for the slice of samples [begin, end).
void global_avg_pool_fwd_f32(std::size_t begin, std::size_t end, std::size_t pixels, std::size_t channels,
                             const float* x, float* y);

/// dx[n][p][c] (=) dy[n][c] / pixels.
void global_avg_pool_bwd_f32(std::size_t begin, std::size_t end, std::size_t pixels, std::size_t channels,
                             const float* dy, float* dx);

void max_pool2d_fwd_f32_ref(const PoolShape& shape, const float* x, float* y, std::uint8_t* argmax);
void max_pool2d_bwd_f32_ref(const PoolShape& shape, const float* dy, const std::uint8_t* argmax, float* dx);
void avg_pool2d_fwd_f32_ref(const PoolShape& shape, bool count_include_pad, const float* x, float* y);
void avg_pool2d_bwd_f32_ref(const PoolShape& shape, bool count_include_pad, const float* dy, float* dx);
void global_avg_pool_fwd_f32_ref(std::size_t begin, std::size_t end, std::size_t pixels, std::size_t channels,
                                 const float* x, float* y);
void global_avg_pool_bwd_f32_ref(std::size_t begin, std::size_t end, std::size_t pixels, std::size_t channels,
                                 const float* dy, float* dx);

}  // namespace bramble::kernels
