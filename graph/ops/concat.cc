#include "graph/ops/concat.h"

#include <algorithm>
#include <memory>
#include <numeric>

#include "graph/ops/shape_rules.h"

namespace bramble::graph {
namespace {

std::int64_t total(const std::vector<std::int64_t>& sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
}

void expect_sizes(const std::vector<std::int64_t>& sizes) {
  require(!sizes.empty() && *std::min_element(sizes.begin(), sizes.end()) > 0, "every part needs a channel");
}

}  // namespace

std::vector<TensorSpec> Concat::infer(std::span<const TensorSpec> inputs) const {
  expect_sizes(sizes);
  expect_inputs(inputs, 0, 4 * sizes.size());
  require(normalisations.empty() ? inputs.size() == sizes.size() : inputs.size() > sizes.size(),
          "needs as many inputs as sizes");
  const auto present =
      std::find_if(inputs.begin(), inputs.end(), [](const TensorSpec& input) { return !input.shape.empty(); });
  require(present != inputs.end(), "all inputs are missing");
  Shape shape = present->shape;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    shape.back() = sizes[i];
    if (has_input(inputs, i)) expect_shape(inputs[i], shape, "part " + std::to_string(i));
  }
  shape.back() = total(sizes);
  return {{shape, present->dtype}};
}

void Concat::backward(BackwardContext& context) const {
  const auto gradients = context.emit(std::make_shared<Split>(sizes), {context.dy(0)});
  for (std::size_t i = 0; i < sizes.size(); ++i)
    if (context.wants(static_cast<int>(i))) context.set_dx(static_cast<int>(i), gradients[i]);
}

OpPtr Concat::with_normalised_input(int x, Activation kind) const {
  auto parts = normalisations;
  parts.resize(sizes.size());
  auto& part = parts[static_cast<std::size_t>(x)];
  if (part) return nullptr;
  part = kind;
  return std::make_shared<Concat>(sizes, std::move(parts));
}

std::vector<NormalisedInput> Concat::normalised_inputs() const {
  std::vector<NormalisedInput> inputs;
  for (int i = 0; i < static_cast<int>(sizes.size()); ++i) inputs.push_back({i, mean_input(i)});
  return inputs;
}

std::vector<TensorSpec> Split::infer(std::span<const TensorSpec> inputs) const {
  expect_sizes(sizes);
  expect_inputs(inputs, 1, 1);
  if (inputs[0].shape.back() != total(sizes))
    throw ShapeError(to_string(inputs[0].shape) + " has not the " + std::to_string(total(sizes)) +
                     " channels of its parts");
  std::vector<TensorSpec> parts;
  for (const std::int64_t size : sizes) {
    parts.push_back({inputs[0].shape, inputs[0].dtype});
    parts.back().shape.back() = size;
  }
  return parts;
}

std::int64_t Split::view_offset(int output) const {
  return std::accumulate(sizes.begin(), sizes.begin() + output, std::int64_t{0});
}

void Split::backward(BackwardContext& context) const {
  std::vector<TensorId> gradients;
  for (std::size_t i = 0; i < sizes.size(); ++i) gradients.push_back(context.dy(static_cast<int>(i)));
  context.set_dx(0, context.emit(std::make_shared<Concat>(sizes), std::move(gradients))[0]);
}

}  // namespace bramble::graph
