// Tokens of one or two sequences moved to the places of a third, and summed where several go to one.
#pragma once

#include "graph/backward_context.h"

namespace bramble::graph {

/// For each token of y the tokens that are summed in it: rows[k] for starts[i] <= k < starts[i + 1].
struct TokenLists {
  std::vector<std::int32_t> starts{0};
  std::vector<std::int32_t> rows;

  /// One more token of y.
  void add(std::initializer_list<std::int32_t> sources) {
    rows.insert(rows.end(), sources);
    starts.push_back(static_cast<std::int32_t>(rows.size()));
  }
  std::int64_t length() const { return static_cast<std::int64_t>(starts.size()) - 1; }
  /// Which of y's tokens each of the sources' tokens [first, first + count) goes to: the gradient's lists.
  TokenLists transposed(std::int64_t first, std::int64_t count) const;
};

/// Inputs: x [N, L0, C], optional z [N, L1, C], whose tokens are counted from L0 on. Output: y [N, lists.length(), C].
class GatherTokens : public Op {
 public:
  explicit GatherTokens(TokenLists values) : lists(std::move(values)) {}
  const TokenLists lists;

  std::string_view name() const override { return "gather_tokens"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
};

}  // namespace bramble::graph
