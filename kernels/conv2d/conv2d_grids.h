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

/// Terms of a by-data sum, [taps of the phase][out_per_group].
struct TermRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// The transposed weights' panels of one group and phase, of these terms alone: as deep, from column col_begin (a multiple
/// of 12) on.
void conv2d_pack_bwd_data_weight_terms_f32(const Conv2dShape& shape, const float* weight, std::int64_t group,
                                           std::int64_t phase, const TermRange& terms, std::int64_t col_begin,
                                           std::int64_t col_end, float* panels);

}  // namespace bramble::kernels
