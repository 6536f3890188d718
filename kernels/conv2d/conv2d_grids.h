// Conv2dShape -> PatchGrid, for the kernels and their tests. Arithmetic only.
#pragma once

#include "kernels/conv2d/conv2d.h"

namespace bramble::kernels {

/// Rows are output pixels, columns [ky][kx][c] of one group's input channels.
PatchGrid conv2d_fwd_grid(const Conv2dShape& shape);

/// One axis of a by-data phase: the grid is the input positions i = phase + stride * g, the source is dy. Kernel
/// positions first_kernel, first_kernel + kernel_step, … reach them, in the order of the taps.
struct BwdDataAxis {
  PatchAxis axis;
  std::int64_t first_kernel = 0;
  std::int64_t kernel_step = 1;
};

struct BwdDataPhase {
  BwdDataAxis y;
  BwdDataAxis x;
  PatchGrid grid;
};

BwdDataPhase conv2d_bwd_data_phase(const Conv2dShape& shape, std::int64_t phase);

/// Where a group's and phase's panels begin in the packed by-data weights.
std::int64_t conv2d_bwd_data_weight_offset(const Conv2dShape& shape, std::int64_t group, std::int64_t phase);

}  // namespace bramble::kernels
