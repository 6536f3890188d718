// What the bindings of convolutions share. Linear layers, 1 x 1 convolutions of an image of one row, have the gradients
// of odd widths and of a bias alone from here.
#pragma once

#include <optional>

#include "engine/bind/bind.h"
#include "graph/activation.h"
#include "kernels/conv2d/conv2d.h"

namespace bramble::engine {

/// Inputs x, weight, bias, residual; outputs y, z.
Bound bind_convolution(const BindContext& context, const kernels::Conv2dShape& shape, graph::Activation activation);

/// Inputs dy, weight, addend; output dx.
Bound bind_convolution_bwd_data(const BindContext& context, const kernels::Conv2dShape& shape);

/// Whether by data takes the weight as it is stored and transposes it on the way (conv2d_bwd_data_transposing_f32).
bool transposes_on_the_way(const kernels::Conv2dShape& shape);
/// Columns that each of its tasks takes.
std::int64_t transposing_columns(const kernels::Conv2dShape& shape);

/// Inputs x, dy; outputs dw, db, either of which may be unread.
Bound bind_convolution_bwd_weight(const BindContext& context, const kernels::Conv2dShape& shape);

/// Transposes input `weight` for by-data, into the shared scratch from float `offset` on.
Phase pack_transposed_phase(const kernels::Conv2dShape& shape, int weight, std::int64_t offset = 0);

/// Where a node has what its weight's gradient needs.
struct WeightGradientOperands {
  int x = 0, dy = 1;
  int dw = 0, db = 1;
  int mean = -1;                                               ///< scale and beta follow; < 0 where x is not normalised
  kernels::Activation activation = kernels::Activation::none;  ///< of the normalisation
  int gate = -1;                    ///< < 0 where x is not gated, else of images of …
  std::int64_t image_pixels = 0;    ///< … so many pixels
  std::int64_t dy_offset = -1;      ///< where >= 0: dy lies there in the shared scratch, and is no operand
  std::int64_t scratch_offset = 0;  ///< floats of shared scratch that come before the partial gradients
};

/// dw and db, the first of which is read, as phases appended to `bound`; enlarges its scratch.
void append_weight_gradient(const BindContext& context, const kernels::Conv2dShape& shape,
                            const WeightGradientOperands& where, Bound& bound);

/// db alone: column sums of dy, whose rows are dense or `dy_stride` elements apart.
Phase bias_gradient_phase(const kernels::Conv2dShape& shape, const WeightGradientOperands& where,
                          std::int64_t dy_stride = 0);

/// Sums `parts` parts in the shared scratch from scratch_offset on: [parts][dw_elements], then [parts][db_elements]; to
/// the outputs, or dw's to the node's update. Enlarges `bound`'s scratch.
Phase sum_gradient_parts(const BindContext& context, const WeightGradientOperands& where, std::int64_t parts,
                         std::int64_t dw_elements, std::int64_t db_elements, Bound& bound);

}  // namespace bramble::engine
