#include "graph/fuse_concat.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "graph/ops/concat.h"
#include "graph/ops/gate.h"

namespace bramble::graph {
namespace {

struct Joining {
  OpPtr op;
  int first_part;
};

/// A node as it is when it joins its input x itself; op is null if it cannot.
Joining joining(const Node& node, TensorId x, const std::shared_ptr<const Concat>& concat) {
  if (std::ranges::count(node.inputs, x) != 1) return {};
  const auto* gate = dynamic_cast<const Gate*>(node.op.get());
  if (gate && node.inputs[0] == x) return {std::make_shared<Gate>(concat), Gate::kFirstPart};
  const auto* bwd = dynamic_cast<const GateBwd*>(node.op.get());
  if (bwd && node.inputs[1] == x) return {std::make_shared<GateBwd>(concat), GateBwd::kFirstPart};
  return {};
}

void leave_to_readers(Graph& graph, const Node& concat) {
  const TensorId x = concat.outputs[0];
  // What is absent are zeros, which no reader makes.
  if (std::ranges::count(concat.inputs, kNoTensor) > 0 || std::ranges::count(graph.kept(), x) > 0) return;
  const auto op = std::static_pointer_cast<const Concat>(concat.op);
  std::vector<Node*> readers;
  for (Node& node : graph.mutable_nodes())
    if (std::ranges::count(node.inputs, x) > 0) readers.push_back(&node);
  if (std::ranges::any_of(readers, [&](const Node* node) { return joining(*node, x, op).op == nullptr; })) return;
  for (Node* node : readers) {
    auto [changed, first_part] = joining(*node, x, op);
    std::ranges::replace(node->inputs, x, kNoTensor);
    node->inputs.resize(static_cast<std::size_t>(first_part), kNoTensor);
    node->inputs.insert(node->inputs.end(), concat.inputs.begin(), concat.inputs.end());
    node->op = std::move(changed);
  }
}

}  // namespace

void fuse_concat(Graph& graph) {
  for (const Node& node : graph.nodes())
    if (dynamic_cast<const Concat*>(node.op.get())) leave_to_readers(graph, node);
}

}  // namespace bramble::graph
