#include "graph/fuse.h"

#include <algorithm>
#include <memory>

#include "graph/ops/activation.h"
#include "graph/ops/add.h"
#include "graph/ops/conv2d.h"
#include "graph/ops/layernorm.h"
#include "graph/ops/linear.h"
#include "graph/ops/scale.h"

namespace bramble::graph {
namespace {

constexpr int kNone = -1;

/// Who writes and who reads each tensor, kept up to date as nodes melt into others.
class Fuser {
 public:
  explicit Fuser(Graph& graph) : graph_(graph), nodes_(graph.mutable_nodes()) {
    producer_.assign(graph.tensors().size(), kNone);
    readers_.assign(graph.tensors().size(), 0);
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      for (const TensorId id : nodes_[i].outputs) producer_[index(id)] = static_cast<int>(i);
      for (const TensorId id : nodes_[i].inputs)
        if (id != kNoTensor) ++readers_[index(id)];
    }
    for (const TensorId id : graph.kept()) ++readers_[index(id)];
  }

  /// Removes what melted away.
  ~Fuser() {
    std::erase_if(nodes_, [](const Node& node) { return node.op == nullptr; });
  }

  int size() const { return static_cast<int>(nodes_.size()); }
  Node& node(int i) { return nodes_[static_cast<std::size_t>(i)]; }
  template <class T>
  const T* as(int i) {
    return node(i).op ? dynamic_cast<const T*>(node(i).op.get()) : nullptr;
  }
  int producer(TensorId id) const { return producer_[index(id)]; }

  /// The node that makes `id` as its output 0, if `id` has one reader alone.
  int sole_producer(TensorId id) {
    const int i = producer_[index(id)];
    return i != kNone && readers_[index(id)] == 1 && node(i).outputs[0] == id ? i : kNone;
  }

  /// Node `from` (made into `op`, with `inputs`) takes `to`'s place and output 0.
  void melt(int from, int to, OpPtr op, std::vector<TensorId> inputs) {
    Node fused{std::move(op), node(from).name, std::move(inputs), node(from).outputs};
    fused.outputs[0] = node(to).outputs[0];
    node(from).op = nullptr;
    node(to) = std::move(fused);
    for (const TensorId id : node(to).outputs) producer_[index(id)] = to;
  }

  /// As melt, but the fused node stays where `from` is.
  void melt_in_place(int from, int to, std::vector<TensorId> inputs) {
    node(from).inputs = std::move(inputs);
    node(from).outputs[0] = node(to).outputs[0];
    producer_[index(node(from).outputs[0])] = from;
    node(to).op = nullptr;
  }

  bool has_addend(int i) {
    const int slot = node(i).op->addend_input();
    const std::vector<TensorId>& inputs = node(i).inputs;
    return slot >= 0 && static_cast<std::size_t>(slot) < inputs.size() &&
           inputs[static_cast<std::size_t>(slot)] != kNoTensor;
  }

  /// `node`'s inputs with `addend` in its slot; empty if the node takes none.
  std::vector<TensorId> with_addend(int i, TensorId addend) {
    const int slot = node(i).op->addend_input();
    if (slot < 0) return {};
    std::vector<TensorId> inputs = node(i).inputs;
    if (inputs.size() <= static_cast<std::size_t>(slot)) inputs.resize(static_cast<std::size_t>(slot) + 1, kNoTensor);
    if (inputs[static_cast<std::size_t>(slot)] != kNoTensor) return {};
    inputs[static_cast<std::size_t>(slot)] = addend;
    return inputs;
  }

  const Shape& shape(TensorId id) const { return graph_.tensor(id).spec.shape; }

 private:
  static std::size_t index(TensorId id) { return static_cast<std::size_t>(id); }

  Graph& graph_;
  std::vector<Node>& nodes_;
  std::vector<int> producer_;
  std::vector<int> readers_;
};

void fuse_activation(Fuser& fuser, int i) {
  const auto* activation = fuser.as<ActivationOp>(i);
  if (!activation) return;
  const int from = fuser.sole_producer(fuser.node(i).inputs[0]);
  if (from == kNone) return;
  if (OpPtr fused = fuser.node(from).op->with_activation(activation->kind, fuser.has_addend(from)))
    fuser.melt(from, i, std::move(fused), fuser.node(from).inputs);
}

/// The linear layer that node `i` is, if it is one or a 1x1 convolution, both without activation and residual.
OpPtr as_plain_linear(Fuser& fuser, int i) {
  if (fuser.node(i).inputs.size() > 3) return nullptr;
  if (const auto* linear = fuser.as<Linear>(i))
    return linear->attributes.activation == Activation::none ? fuser.node(i).op : nullptr;
  const auto* conv = fuser.as<Conv2d>(i);
  if (!conv || !is_pointwise(conv->attributes) || conv->attributes.activation != Activation::none) return nullptr;
  return std::make_shared<Linear>(LinearAttributes{conv->attributes.out_channels});
}

/// y = linear(x) * gamma.
void fuse_scale(Fuser& fuser, int i) {
  if (!fuser.as<Scale>(i)) return;
  const int from = fuser.sole_producer(fuser.node(i).inputs[0]);
  OpPtr linear = from == kNone ? nullptr : as_plain_linear(fuser, from);
  if (!linear) return;
  std::vector<TensorId> inputs = fuser.node(from).inputs;
  inputs.resize(4, kNoTensor);
  inputs.push_back(fuser.node(i).inputs[1]);
  fuser.melt(from, i, std::move(linear), std::move(inputs));
}

/// y = f(x) + r, the sum where `i` is, so that r is there already.
void fuse_residual(Fuser& fuser, int i) {
  if (!fuser.as<Add>(i)) return;
  const std::vector<TensorId> terms = fuser.node(i).inputs;
  for (const int side : {0, 1}) {
    const TensorId addend = terms[static_cast<std::size_t>(1 - side)];
    const int from = fuser.sole_producer(terms[static_cast<std::size_t>(side)]);
    if (from == kNone || addend == terms[static_cast<std::size_t>(side)]) continue;
    std::vector<TensorId> inputs = fuser.with_addend(from, addend);
    if (inputs.empty()) continue;
    fuser.melt(from, i, fuser.node(from).op, std::move(inputs));
    return;
  }
}

/// s = a + b, y = layernorm(s): the LayerNorm adds, and gives s to its other readers.
void fuse_layernorm(Fuser& fuser, int i) {
  const auto* layernorm = fuser.as<LayerNorm>(i);
  if (!layernorm || fuser.node(i).inputs.size() > 3) return;
  const TensorId sum = fuser.node(i).inputs[0];
  const int from = fuser.producer(sum);
  const auto* add = from == kNone ? nullptr : fuser.as<Add>(from);
  // Another reader of the sum between the two would come too early.
  if (!add || from + 1 != i) return;
  const std::vector<TensorId> terms = fuser.node(from).inputs;
  std::vector<TensorId> inputs = fuser.node(i).inputs;
  inputs[0] = terms[0];
  inputs.push_back(terms[1]);
  std::vector<TensorId> outputs = fuser.node(i).outputs;
  outputs.push_back(sum);
  Node fused{fuser.node(i).op, fuser.node(i).name, std::move(inputs), std::move(outputs)};
  fuser.node(from).op = nullptr;
  fuser.node(i) = std::move(fused);
}

}  // namespace

void fuse_forward(Graph& graph) {
  {
    Fuser fuser(graph);
    for (int i = 0; i < fuser.size(); ++i) {
      fuse_activation(fuser, i);
      fuse_scale(fuser, i);
      fuse_residual(fuser, i);
    }
  }
  Fuser fuser(graph);
  for (int i = 0; i < fuser.size(); ++i) fuse_layernorm(fuser, i);
}

void fuse_gelu_gradients(Graph& graph) {
  Fuser fuser(graph);
  for (int i = 0; i < fuser.size(); ++i) {
    const auto* activation = fuser.as<ActivationBwd>(i);
    if (!activation || activation->kind != Activation::gelu) continue;
    const int from = fuser.sole_producer(fuser.node(i).inputs[0]);
    if (from == kNone || !fuser.as<LinearBwdData>(from) || fuser.has_addend(from)) continue;
    std::vector<TensorId> inputs = fuser.node(from).inputs;
    inputs.resize(std::max<std::size_t>(inputs.size(), 4), kNoTensor);
    inputs[3] = fuser.node(i).inputs[1];
    // In place: the weight may be updated before the activation's turn.
    fuser.node(from).op = std::make_shared<LinearBwdData>(true);
    fuser.melt_in_place(from, i, std::move(inputs));
  }
}

void fuse_gradient_sums(Graph& graph) {
  Fuser fuser(graph);
  for (int i = 0; i < fuser.size(); ++i) {
    if (!fuser.as<Add>(i)) continue;
    const std::vector<TensorId> terms = fuser.node(i).inputs;
    for (const int side : {0, 1}) {
      const TensorId addend = terms[static_cast<std::size_t>(1 - side)];
      const int from = fuser.sole_producer(terms[static_cast<std::size_t>(side)]);
      if (from == kNone || fuser.producer(addend) >= from) continue;
      std::vector<TensorId> inputs = fuser.with_addend(from, addend);
      if (inputs.empty()) continue;
      fuser.melt_in_place(from, i, std::move(inputs));
      break;
    }
  }
}

}  // namespace bramble::graph
