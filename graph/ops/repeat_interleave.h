// Every channel several times in a row.
#pragma once

#include "graph/backward_context.h"

namespace bramble::graph {

/// Input: x [..., C]. Output: [..., times * C], channel c's copies at times * c and on.
class RepeatInterleave : public Op {
 public:
  explicit RepeatInterleave(std::int64_t copies) : times(copies) {}
  const std::int64_t times;

  std::string_view name() const override { return "repeat_interleave"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
};

/// Input: dy [..., times * C]. Output: dx [..., C].
class RepeatInterleaveBwd : public Op {
 public:
  explicit RepeatInterleaveBwd(std::int64_t copies) : times(copies) {}
  const std::int64_t times;

  std::string_view name() const override { return "repeat_interleave_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
};

}  // namespace bramble::graph
