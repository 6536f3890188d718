// Attention maps of a coarser grid, as GhostNetV2 has them: every pixel times the gate that its nearest neighbour has in a
// smaller image. fp32, NHWC. No allocation, threads or state; any alignment (of 4 bytes).
#pragma once

#include <cstddef>

#include "kernels/batchnorm/batchnorm.h"

namespace bramble::kernels {

/// Extents in elements. The gate's are at most the image's; where they are equal this is a plain product.
struct GateShape {
  std::size_t batch = 1;
  std::size_t height = 1;
  std::size_t width = 1;
  std::size_t channels = 1;
  std::size_t gate_height = 1;
  std::size_t gate_width = 1;
};

/// Channels [first, first + channels) of the image, which may lie apart from its others and come through a BatchNorm:
/// with i the pixel's index, x'[i][first + c] = x[i * pitch + c], or with a way in f(fma(that - mean[c], scale[c],
/// beta[c])).
struct GateSource {
  const float* x = nullptr;
  std::size_t first = 0;
  std::size_t channels = 0;
  std::size_t pitch = 0;  ///< elements
  const Normalisation* way_in = nullptr;
};

/// y[n][h][w][c] = x'[n][h][w][c] * gate[n][h * gate_height / height][w * gate_width / width][c], divisions rounded
/// down, for rows [row_begin, row_end) of the batch * height rows and the source's channels. y may be x. The references
/// take all channels of a dense x.
void gate_fwd_f32(const GateShape& shape, std::size_t row_begin, std::size_t row_end, const GateSource& source,
                  const float* gate, float* y);
void gate_fwd_f32_ref(const GateShape& shape, const float* x, const float* gate, float* y);

/// For rows [row_begin, row_end) of the batch * gate_height rows of the gate, and those of x' that they go to, and the
/// source's channels:
///   dx[n][h][w][c]   (=) dy[n][h][w][c] * the gate of (h, w)
///   dgate[n][i][j][c] (=) sum over the (h, w) that it goes to of dy[n][h][w][c] * x'[n][h][w][c]
/// dx may be dy; either may be null.
void gate_bwd_f32(const GateShape& shape, std::size_t row_begin, std::size_t row_end, const float* dy,
                  const GateSource& source, const float* gate, float* dx, float* dgate);
void gate_bwd_f32_ref(const GateShape& shape, const float* dy, const float* x, const float* gate, float* dx,
                      float* dgate);

}  // namespace bramble::kernels
