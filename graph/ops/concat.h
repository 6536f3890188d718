// Tensors side by side along the last dimension, and the way back.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "graph/activation.h"
#include "graph/backward_context.h"

namespace bramble::graph {

/// Inputs: n parts [..., sizes[i]], an absent one counts as zeros; where one is normalised, from n + 3 * i on its mean,
/// scale, beta [sizes[i]]. Output: [..., sum of sizes].
class Concat : public Op {
 public:
  /// `normalised`: for each part the activation of the BatchNorm that it is read through, if it is; or empty.
  explicit Concat(std::vector<std::int64_t> channels, std::vector<std::optional<Activation>> normalised = {})
      : sizes(std::move(channels)), normalisations(std::move(normalised)) {}
  const std::vector<std::int64_t> sizes;
  const std::vector<std::optional<Activation>> normalisations;

  std::optional<Activation> normalisation(int part) const {
    return normalisations.empty() ? std::nullopt : normalisations[static_cast<std::size_t>(part)];
  }
  int mean_input(int part) const { return static_cast<int>(sizes.size()) + 3 * part; }

  std::string_view name() const override { return "concat"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
  OpPtr with_normalised_input(int x, Activation kind) const override;
  std::vector<NormalisedInput> normalised_inputs() const override;
  bool takes_part(int input) const override { return input >= 0 && input < static_cast<int>(sizes.size()); }
};

/// Input: x [..., sum of sizes]. Outputs: [..., sizes[i]]; those that nobody reads cost nothing, nor do views.
class Split : public Op {
 public:
  /// `in_place`: which parts are views into x; or empty.
  explicit Split(std::vector<std::int64_t> channels, std::vector<bool> in_place = {})
      : sizes(std::move(channels)), views(std::move(in_place)) {}
  const std::vector<std::int64_t> sizes;
  const std::vector<bool> views;

  std::string_view name() const override { return "split"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
  int in_place_input(int output) const override { return is_view(output) ? 0 : -1; }
  bool is_view(int output) const override { return !views.empty() && views[static_cast<std::size_t>(output)]; }
  std::int64_t view_offset(int output) const override;
};

}  // namespace bramble::graph
