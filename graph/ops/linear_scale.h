// The gradient of a layer scale that a linear layer carries, y = (x weight^T + bias) * scale. It needs no pass over the
// activations: everything follows from the gradients that the layer would have without it.
#pragma once

#include "graph/op.h"

namespace bramble::graph {

/// Inputs: the unscaled layer's dw and db (of dy as it comes), weight, optional bias, scale [out].
/// Outputs: dw = scale * unscaled dw, db = scale * unscaled db, dscale = rows' sums of weight * unscaled dw, + bias *
/// unscaled db.
class LinearScaleBwd : public Op {
 public:
  std::string_view name() const override { return "linear_scale_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  int weight_gradient_output() const override { return 0; }
  int in_place_input(int output) const override { return output < 2 ? output : -1; }
};

}  // namespace bramble::graph
