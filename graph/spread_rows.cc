#include "graph/spread_rows.h"

#include <algorithm>
#include <initializer_list>
#include <vector>

#include "graph/ops/layernorm.h"
#include "graph/ops/linear.h"
#include "graph/ops/with_update.h"

namespace bramble::graph {
namespace {

// Rows of a multiple of 128 floats meet in at most 32 of the 256 sets of L1 (64 KiB, four ways, lines of 64 bytes).
constexpr std::int64_t kMeeting = 128;
// Normalised rows are the narrower operand, which a weight's gradient packs once for all of its tasks. Up to here it
// gains by not having to: 784x384x1536 6.8 -> 6.6 ms on four cores, modelled, but 788x768x3072 27.5 -> 28.1.
constexpr std::int64_t kWidestNormalised = 512;
// What the weight's gradient takes in place: the widths of both its operands.
constexpr std::int64_t kWholeTiles = 8;

const Op& gradient_op(const Node& node) {
  const auto* updating = dynamic_cast<const WithUpdate*>(node.op.get());
  return updating ? *updating->gradient : *node.op;
}

TensorId at(const std::vector<TensorId>& ids, std::size_t i) { return i < ids.size() ? ids[i] : kNoTensor; }

/// A node's tensors that it takes with rows anywhere.
struct Rows {
  std::vector<TensorId> free;   // each as it likes
  std::vector<TensorId> alike;  // its results and what its epilogue reads: all or none spread
};

Rows rows_of(const Graph& graph, const Node& node) {
  const Op& op = gradient_op(node);
  const auto existing = [](std::initializer_list<TensorId> ids) {
    std::vector<TensorId> some(ids);
    std::erase(some, kNoTensor);
    return some;
  };
  if (dynamic_cast<const LayerNorm*>(&op)) {
    if (graph.tensor(node.outputs[0]).spec.shape.back() > kWidestNormalised) return {};
    return {{node.outputs[0]}, {}};
  }
  if (dynamic_cast<const Linear*>(&op))
    return {{node.inputs[0]}, existing({node.outputs[0], node.outputs[1], at(node.inputs, 3)})};
  if (dynamic_cast<const LinearBwdData*>(&op))
    return {{node.inputs[0]}, existing({node.outputs[0], at(node.inputs, 2), at(node.inputs, 3)})};
  if (!dynamic_cast<const LinearBwdWeight*>(&op)) return {};
  const auto whole = [&](TensorId id) { return graph.tensor(id).spec.shape.back() % kWholeTiles == 0; };
  if (!whole(node.inputs[0]) || !whole(node.inputs[1])) return {};
  return {{node.inputs[0], node.inputs[1]}, {}};
}

class Spreading {
 public:
  explicit Spreading(Graph& graph) : graph_(graph), spread_(graph.tensors().size()) {
    for (std::size_t id = 0; id < spread_.size(); ++id) {
      const Tensor& tensor = graph.tensors()[id];
      spread_[id] = (tensor.role == Role::activation || tensor.role == Role::gradient) &&
                    tensor.spec.dtype == DType::f32 && tensor.spec.layout == Layout::dense &&
                    !tensor.spec.shape.empty() && tensor.spec.shape.back() % kMeeting == 0;
    }
    for (const TensorId id : graph.kept()) spread(id) = false;
    for (const Node& node : graph.nodes()) leave_dense_what_others_take(node);
  }

  void run() {
    while (agree()) {
    }
    for (std::size_t id = 0; id < spread_.size(); ++id)
      if (spread_[id]) graph_.mutable_tensor(static_cast<TensorId>(id)).spec.layout = Layout::spread_rows;
  }

 private:
  std::vector<bool>::reference spread(TensorId id) { return spread_[static_cast<std::size_t>(id)]; }

  void leave_dense_what_others_take(const Node& node) {
    const Rows rows = rows_of(graph_, node);
    const auto listed = [](const std::vector<TensorId>& ids, TensorId id) {
      return std::find(ids.begin(), ids.end(), id) != ids.end();
    };
    for (const auto* ids : {&node.inputs, &node.outputs})
      for (const TensorId id : *ids)
        if (id != kNoTensor && !listed(rows.free, id) && !listed(rows.alike, id)) spread(id) = false;
  }

  /// Whether anything had to change.
  bool agree() {
    bool changed = false;
    for (const Node& node : graph_.nodes()) {
      const Rows rows = rows_of(graph_, node);
      const auto is_spread = [&](TensorId id) { return static_cast<bool>(spread(id)); };
      if (std::none_of(rows.alike.begin(), rows.alike.end(), is_spread) ||
          std::all_of(rows.alike.begin(), rows.alike.end(), is_spread))
        continue;
      for (const TensorId id : rows.alike) spread(id) = false;
      changed = true;
    }
    return changed;
  }

  Graph& graph_;
  std::vector<bool> spread_;
};

}  // namespace

void spread_rows(Graph& graph) { Spreading(graph).run(); }

}  // namespace bramble::graph
