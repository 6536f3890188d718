#include "graph/optimizer.h"

namespace bramble::graph {

bool is_weight_matrix(const Tensor& parameter) {
  for (const char* embedding : {"pos_embed", "cls_token", "relative_position_bias_table"})
    if (parameter.name.ends_with(embedding)) return false;
  return parameter.spec.shape.size() > 1;
}

}  // namespace bramble::graph
