#include "graph/ops/with_update.h"

namespace bramble::graph {
namespace {

constexpr std::size_t kGradientOfUpdate = 1;

}  // namespace

std::vector<TensorSpec> WithUpdate::infer(std::span<const TensorSpec> inputs) const {
  std::vector<TensorSpec> outputs = gradient->infer(inputs.first(gradient_inputs));
  const std::span<const TensorSpec> rest = inputs.subspan(gradient_inputs);
  std::vector<TensorSpec> of_update(rest.begin(), rest.end());
  of_update.at(kGradientOfUpdate) = outputs.at(static_cast<std::size_t>(gradient->weight_gradient_output()));
  update->infer(of_update);
  return outputs;
}

std::vector<int> WithUpdate::mutated_inputs() const {
  std::vector<int> mutated = update->mutated_inputs();
  for (int& input : mutated) input += static_cast<int>(gradient_inputs);
  return mutated;
}

double WithUpdate::flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs) const {
  return gradient->flops(inputs.first(gradient_inputs), outputs);
}

}  // namespace bramble::graph
