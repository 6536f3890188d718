#include "graph/graph.h"

#include <algorithm>
#include <numeric>

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

void Graph::reorder(const std::vector<TensorId>& order) {
  std::vector<TensorId> places = order;
  std::sort(places.begin(), places.end());
  std::vector<TensorId> renamed(tensors_.size());
  std::iota(renamed.begin(), renamed.end(), 0);
  for (std::size_t i = 0; i < order.size(); ++i) renamed[static_cast<std::size_t>(order[i])] = places[i];
  std::vector<Tensor> moved(tensors_.size());
  for (std::size_t id = 0; id < tensors_.size(); ++id)
    moved[static_cast<std::size_t>(renamed[id])] = std::move(tensors_[id]);
  tensors_ = std::move(moved);
  for (Node& node : nodes_)
    for (std::vector<TensorId>* ids : {&node.inputs, &node.outputs})
      for (TensorId& id : *ids)
        if (id != kNoTensor) id = renamed[static_cast<std::size_t>(id)];
}

TensorId Graph::find(std::string_view name) const {
  const auto found = std::find_if(tensors_.begin(), tensors_.end(), [&](const Tensor& tensor) {
    return tensor.name == name && (tensor.persistent() || tensor.role == Role::input);
  });
  return found == tensors_.end() ? kNoTensor : static_cast<TensorId>(found - tensors_.begin());
}

}  // namespace bramble::graph
