// The bias of attention's scores by how far a key lies from a query: gathered from a table of offsets that is trained.
#pragma once

#include "graph/backward_context.h"

namespace bramble::graph {

struct RelativePositionAttributes {
  std::int64_t length = 0;          ///< keys, and as many queries
  std::vector<std::int32_t> index;  ///< [keys][queries]: the table's entry, or -1 for a bias of 0
  bool heads_first = false;         ///< the table is [heads, entries …]; [entries, heads] otherwise
  float factor = 1;                 ///< bias = factor * entry
};

/// Input: table. Output: bias [heads, keys, queries rounded up to 4], as attention takes it.
class RelativePositionBias : public Op {
 public:
  explicit RelativePositionBias(RelativePositionAttributes values) : attributes(std::move(values)) {}
  const RelativePositionAttributes attributes;

  std::string_view name() const override { return "relative_position_bias"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
};

/// Input: dbias. Output: dtable.
class RelativePositionBiasBwd : public Op {
 public:
  RelativePositionBiasBwd(RelativePositionAttributes values, Shape table)
      : attributes(std::move(values)), table_shape(std::move(table)) {}
  const RelativePositionAttributes attributes;
  const Shape table_shape;

  std::string_view name() const override { return "relative_position_bias_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
};

}  // namespace bramble::graph
