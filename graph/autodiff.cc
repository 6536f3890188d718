#include "graph/autodiff.h"

#include <unordered_set>

#include "graph/backward_context.h"
#include "graph/ops/add.h"

namespace bramble::graph {
namespace {

class Differentiation : public BackwardContext {
 public:
  Differentiation(Graph& graph, const std::vector<Seed>& seeds, const std::vector<TensorId>& trainable)
      : graph_(graph),
        needs_(graph.tensors().size(), false),
        is_loss_(graph.tensors().size(), false),
        gradients_(graph.tensors().size(), kNoTensor) {
    for (const Seed& seed : seeds) {
      gradients_[index(seed.output)] = seed.gradient;
      is_loss_[index(seed.output)] = seed.gradient == kNoTensor;
    }
    for (const TensorId id : trainable) needs_[index(id)] = true;
    for (const Node& node : graph.nodes()) mark_dependent(node);
  }

  /// Differentiates the node at `position` of the forward graph, if something trainable depends on it.
  void visit(std::size_t position) {
    node_ = graph_.nodes()[position];  // a copy: emitting nodes moves the graph's own
    if (!depends(node_) || !has_gradient(node_)) return;
    try {
      node_.op->backward(*this);
    } catch (const ShapeError& error) {
      throw GraphError(node_.name + " (" + std::string(node_.op->name()) + "): " + error.what());
    }
  }

  TensorId gradient(TensorId id) const { return gradients_[index(id)]; }

  const Graph& graph() const override { return graph_; }
  const Node& node() const override { return node_; }
  TensorId dy(int i) const override { return gradients_[index(output(i))]; }
  bool wants(int i) const override {
    return i < static_cast<int>(node_.inputs.size()) && input(i) != kNoTensor && needs_[index(input(i))];
  }
  std::vector<TensorId> emit(OpPtr op, std::vector<TensorId> inputs) override {
    return graph_.add_node(std::move(op), node_.name, std::move(inputs), Role::gradient);
  }
  void set_dx(int i, TensorId dx) override {
    TensorId& gradient = gradients_[index(input(i))];
    gradient = gradient == kNoTensor ? dx : emit(std::make_shared<Add>(), {gradient, dx})[0];
  }

 private:
  static std::size_t index(TensorId id) { return static_cast<std::size_t>(id); }

  bool depends(const Node& node) const {
    for (const TensorId id : node.inputs)
      if (id != kNoTensor && needs_[index(id)]) return true;
    return false;
  }
  void mark_dependent(const Node& node) {
    if (!depends(node)) return;
    for (const TensorId id : node.outputs) needs_[index(id)] = true;
  }
  bool has_gradient(const Node& node) const {
    for (const TensorId id : node.outputs)
      if (is_loss_[index(id)] || gradients_[index(id)] != kNoTensor) return true;
    return false;
  }

  Graph& graph_;
  Node node_;
  std::vector<bool> needs_;    // depends on something trainable
  std::vector<bool> is_loss_;  // its gradient is 1
  std::vector<TensorId> gradients_;  // of the forward graph's tensors
};

/// For each node of the forward graph, the parameters that no earlier node reads: complete once it is differentiated.
std::vector<std::vector<TensorId>> completed_by(const Graph& graph, const std::vector<TensorId>& parameters) {
  std::vector<std::vector<TensorId>> completed(graph.nodes().size());
  std::unordered_set<TensorId> open(parameters.begin(), parameters.end());
  for (std::size_t i = 0; i < graph.nodes().size(); ++i)
    for (const TensorId id : graph.nodes()[i].inputs)
      if (open.erase(id)) completed[i].push_back(id);
  return completed;
}

}  // namespace

std::unordered_map<TensorId, TensorId> differentiate(
    Graph& graph, const std::vector<Seed>& seeds, const std::vector<TensorId>& trainable,
    const std::function<void(TensorId parameter, TensorId gradient)>& after_gradient) {
  std::unordered_map<TensorId, TensorId> gradients;
  const auto completed = completed_by(graph, trainable);
  Differentiation differentiation(graph, seeds, trainable);
  for (std::size_t i = completed.size(); i-- > 0;) {
    differentiation.visit(i);
    for (const TensorId parameter : completed[i]) {
      const TensorId gradient = differentiation.gradient(parameter);
      if (gradient == kNoTensor) continue;
      gradients.emplace(parameter, gradient);
      if (after_gradient) after_gradient(parameter, gradient);
    }
  }
  return gradients;
}

}  // namespace bramble::graph
