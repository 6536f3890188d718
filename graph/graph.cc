#include "graph/graph.h"

#include <algorithm>

namespace bramble::graph {

TensorId Graph::add_tensor(Tensor tensor) {
  tensors_.push_back(std::move(tensor));
  return static_cast<TensorId>(tensors_.size()) - 1;
}

std::vector<TensorId> Graph::add_node(OpPtr op, std::string name, std::vector<TensorId> inputs, Role role) {
  std::vector<TensorSpec> input_specs;
  for (const TensorId id : inputs) input_specs.push_back(id == kNoTensor ? TensorSpec{} : tensor(id).spec);
  std::vector<TensorSpec> output_specs;
  try {
    output_specs = op->infer(input_specs);
  } catch (const ShapeError& error) {
    throw GraphError(name + " (" + std::string(op->name()) + "): " + error.what());
  }
  Node node{std::move(op), std::move(name), std::move(inputs), {}};
  for (TensorSpec& spec : output_specs) node.outputs.push_back(add_tensor({node.name, std::move(spec), role}));
  nodes_.push_back(node);
  return node.outputs;
}

TensorId Graph::find(std::string_view name) const {
  const auto found = std::find_if(tensors_.begin(), tensors_.end(), [&](const Tensor& tensor) {
    return tensor.name == name && (tensor.persistent() || tensor.role == Role::input);
  });
  return found == tensors_.end() ? kNoTensor : static_cast<TensorId>(found - tensors_.begin());
}

}  // namespace bramble::graph
