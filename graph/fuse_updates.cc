#include "graph/fuse_updates.h"

#include <algorithm>
#include <memory>

#include "graph/ops/with_update.h"

namespace bramble::graph {
namespace {

constexpr int kNone = -1;
// Inputs of every update.
constexpr std::size_t kParameter = 0, kGradient = 1;

struct Uses {
  explicit Uses(const Graph& graph) : producer(graph.tensors().size(), kNone), readers(graph.tensors().size(), 0) {
    for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
      for (const TensorId id : graph.nodes()[i].outputs) producer[index(id)] = static_cast<int>(i);
      for (const TensorId id : graph.nodes()[i].inputs)
        if (id != kNoTensor) ++readers[index(id)];
    }
    for (const TensorId id : graph.kept()) ++readers[index(id)];
  }
  static std::size_t index(TensorId id) { return static_cast<std::size_t>(id); }
  int producer_of(TensorId id) const { return id == kNoTensor ? kNone : producer[index(id)]; }

  std::vector<int> producer;
  std::vector<int> readers;
};

bool is_update(const Node& node) {
  const std::string_view op = node.op->name();
  return op == "sgd" || op == "adamw" || op == "lion";
}

bool touches(const Node& node, TensorId id) {
  return std::find(node.inputs.begin(), node.inputs.end(), id) != node.inputs.end();
}

/// The node whose product can take over the update at `position`; kNone if there is none.
int taker(const std::vector<Node>& nodes, const Uses& uses, int position) {
  const Node& update = nodes[static_cast<std::size_t>(position)];
  const TensorId gradient = update.inputs[kGradient];
  const int from = uses.producer_of(gradient);
  if (from == kNone || uses.readers[Uses::index(gradient)] != 1) return kNone;
  const Node& product = nodes[static_cast<std::size_t>(from)];
  const int output = product.op->weight_gradient_output();
  if (output < 0 || product.outputs[static_cast<std::size_t>(output)] != gradient) return kNone;
  for (const TensorId id : update.inputs)
    if (id != gradient && uses.producer_of(id) >= from) return kNone;
  // The weight changes earlier than before: nobody in between may read it.
  for (int i = from + 1; i < position; ++i)
    if (touches(nodes[static_cast<std::size_t>(i)], update.inputs[kParameter])) return kNone;
  return from;
}

}  // namespace

void fuse_updates(Graph& graph) {
  std::vector<Node>& nodes = graph.mutable_nodes();
  const Uses uses(graph);
  std::vector<bool> taken(nodes.size(), false);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!is_update(nodes[i])) continue;
    const int from = taker(nodes, uses, static_cast<int>(i));
    if (from == kNone) continue;
    Node& product = nodes[static_cast<std::size_t>(from)];
    std::vector<TensorId> inputs = nodes[i].inputs;
    inputs[kGradient] = kNoTensor;
    product.op = std::make_shared<WithUpdate>(product.op, product.inputs.size(), nodes[i].op);
    product.inputs.insert(product.inputs.end(), inputs.begin(), inputs.end());
    taken[i] = true;
  }
  std::size_t i = 0;
  std::erase_if(nodes, [&](const Node&) { return taken[i++]; });
}

}  // namespace bramble::graph
