// What a differentiation rule sees: its node, the gradients that arrived, and a way to add nodes.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"

namespace bramble::graph {

/// Implemented by autodiff. Gradients of activations are written (=); several contributions to one tensor are summed
/// by autodiff with `add` nodes, so a rule never sees another's contribution.
class BackwardContext {
 public:
  virtual ~BackwardContext() = default;

  virtual const Graph& graph() const = 0;
  virtual const Node& node() const = 0;
  TensorId input(int i) const { return node().inputs.at(static_cast<std::size_t>(i)); }
  TensorId output(int i) const { return node().outputs.at(static_cast<std::size_t>(i)); }
  const TensorSpec& input_spec(int i) const { return graph().tensor(input(i)).spec; }
  const TensorSpec& output_spec(int i) const { return graph().tensor(output(i)).spec; }

  /// The gradient of output `i`; kNoTensor if nothing downstream of it is differentiated.
  virtual TensorId dy(int i) const = 0;
  /// Whether the gradient of input `i` leads to something trainable. False for an absent input.
  virtual bool wants(int i) const = 0;
  /// Adds a node named like the forward node; its outputs are gradients.
  virtual std::vector<TensorId> emit(OpPtr op, std::vector<TensorId> inputs) = 0;
  /// Contributes `dx` to the gradient of input `i`. `dx` may be an output of emit, or dy(j) itself passed through.
  virtual void set_dx(int i, TensorId dx) = 0;
};

}  // namespace bramble::graph
