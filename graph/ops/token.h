// A class token: put before the others, and taken out again.
#pragma once

#include "graph/backward_context.h"

namespace bramble::graph {

/// Inputs: x [N, L, C], token [1, 1, C]. Output: [N, L + 1, C], the token first.
class PrependToken : public Op {
 public:
  std::string_view name() const override { return "prepend_token"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
};

/// Input: dy [N, L + 1, C]. Outputs: dx [N, L, C], dtoken [1, 1, C].
class PrependTokenBwd : public Op {
 public:
  std::string_view name() const override { return "prepend_token_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
};

struct SelectTokenAttributes {
  std::int64_t index = 0;
  std::int64_t length = 0;  ///< L; the backward needs it
};

/// Input: x [N, L, C]. Output: [N, C], token `index`.
class SelectToken : public Op {
 public:
  explicit SelectToken(const SelectTokenAttributes& attributes) : attributes(attributes) {}
  const SelectTokenAttributes attributes;

  std::string_view name() const override { return "select_token"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
};

/// Input: dy [N, C]. Output: dx [N, length, C], zeros but for token `index`.
class SelectTokenBwd : public Op {
 public:
  explicit SelectTokenBwd(const SelectTokenAttributes& attributes) : attributes(attributes) {}
  const SelectTokenAttributes attributes;

  std::string_view name() const override { return "select_token_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
};

}  // namespace bramble::graph
