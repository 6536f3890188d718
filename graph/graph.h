// The graph: tensors, and nodes in the order they run. Static: shapes are checked as nodes are added.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "graph/op.h"
#include "graph/tensor.h"

namespace bramble::graph {

/// A graph that cannot be built. The message names the layer: "layer1.0.conv1 (conv2d): …".
class GraphError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Node {
  OpPtr op;
  std::string name;  ///< the layer's: "layer1.0.conv1"; a gradient node carries its forward node's
  std::vector<TensorId> inputs;  ///< kNoTensor where an optional input is absent
  std::vector<TensorId> outputs;

  /// inputs[place] = id; what is missing before it is absent.
  void set_input(std::size_t place, TensorId id) {
    if (inputs.size() <= place) inputs.resize(place + 1, kNoTensor);
    inputs[place] = id;
  }
};

class Graph {
 public:
  TensorId add_tensor(Tensor tensor);

  /// Infers the outputs, adds them (named after the node, role as given) and returns their ids.
  /// An absent optional input is kNoTensor; the shape rule sees it as a TensorSpec with an empty shape.
  /// Throws GraphError with `name` in front.
  std::vector<TensorId> add_node(OpPtr op, std::string name, std::vector<TensorId> inputs,
                                 Role role = Role::activation);

  const std::vector<Tensor>& tensors() const { return tensors_; }
  const std::vector<Node>& nodes() const { return nodes_; }
  const Tensor& tensor(TensorId id) const { return tensors_.at(static_cast<std::size_t>(id)); }
  std::vector<Node>& mutable_nodes() { return nodes_; }
  Tensor& mutable_tensor(TensorId id) { return tensors_.at(static_cast<std::size_t>(id)); }

  /// Persistent tensors and inputs by name; kNoTensor if there is none.
  TensorId find(std::string_view name) const;

  /// Renumbers tensors so that those of `order` keep their places but lie in them in this order. Not of `kept` ones.
  void reorder(const std::vector<TensorId>& order);

  /// Tensors whose values the caller reads after a step: they keep their memory to its end.
  void keep(TensorId id) { kept_.push_back(id); }
  const std::vector<TensorId>& kept() const { return kept_; }

 private:
  std::vector<Tensor> tensors_;
  std::vector<Node> nodes_;
  std::vector<TensorId> kept_;
};

}  // namespace bramble::graph
