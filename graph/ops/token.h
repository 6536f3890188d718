// A class token's way in and out of a sequence.
#pragma once

#include "graph/op.h"

namespace bramble::graph {

/// y[n] = token followed by x[n]. Inputs: x [N, L, C], token [1, 1, C]. Outputs: y [N, L + 1, C].
class PrependToken : public Op {
 public:
  std::string_view name() const override { return "prepend_token"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
};

/// Inputs: dy [N, L + 1, C]. Outputs: dx [N, L, C], dtoken [1, 1, C] = the sum over n of dy[n][0].
class PrependTokenBwd : public Op {
 public:
  enum Output { kDx, kDtoken };

  std::string_view name() const override { return "prepend_token_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
};

struct SelectTokenAttributes {
  int index = 0;
};

/// y[n] = x[n][index]. Inputs: x [N, L, C]. Outputs: y [N, C].
class SelectToken : public Op {
 public:
  explicit SelectToken(SelectTokenAttributes attributes) : attributes_(attributes) {}
  const SelectTokenAttributes& attributes() const { return attributes_; }

  std::string_view name() const override { return "select_token"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;

 private:
  SelectTokenAttributes attributes_;
};

struct SelectTokenBwdAttributes {
  int index = 0;
  std::int64_t length = 1;  ///< L
};

/// Inputs: dy [N, C]. Outputs: dx [N, L, C], zero but for token `index`.
class SelectTokenBwd : public Op {
 public:
  explicit SelectTokenBwd(SelectTokenBwdAttributes attributes) : attributes_(attributes) {}
  const SelectTokenBwdAttributes& attributes() const { return attributes_; }

  std::string_view name() const override { return "select_token_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;

 private:
  SelectTokenBwdAttributes attributes_;
};

}  // namespace bramble::graph
