#include "graph/fuse_batchnorm.h"

#include <algorithm>
#include <iterator>
#include <memory>

#include "graph/ops/batchnorm.h"
#include "graph/ops/batchnorm_sum.h"
#include "graph/ops/pool.h"

namespace bramble::graph {
namespace {

struct Reader {
  std::size_t node;
  std::size_t input;
};

class BatchNormFuser {
 public:
  explicit BatchNormFuser(Graph& graph)
      : graph_(graph),
        nodes_(graph.mutable_nodes()),
        producer_(graph.tensors().size(), graph.nodes().size()),
        readers_(graph.tensors().size()),
        kept_(graph.tensors().size(), false) {
    for (std::size_t n = 0; n < nodes_.size(); ++n) {
      for (const TensorId id : nodes_[n].outputs) producer_[index(id)] = n;
      for (std::size_t i = 0; i < nodes_[n].inputs.size(); ++i)
        if (nodes_[n].inputs[i] != kNoTensor) readers_[index(nodes_[n].inputs[i])].push_back({n, i});
    }
    for (const TensorId id : graph.kept()) kept_[index(id)] = true;
  }

  void run() {
    for (std::size_t n = 0; n < nodes_.size(); ++n) {
      if (is<BatchNorm>(n)) normalise_on_load(n);
      if (is<BatchNorm>(n) && as<BatchNorm>(n).attributes.training) take_sums(n, 0, 6, false);
      if (is<BatchNormSum>(n) && as<BatchNormSum>(n).attributes.training) take_branch_sums(n);
    }
    // The backward's sums need a producer that reads the normalised input, which the first pass made.
    for (std::size_t n = 0; n < nodes_.size(); ++n) {
      if (!is<BatchNormBwd>(n)) continue;
      take_sums(n, 0, 7, true);
      unpool(n);
      leave_sums(n);
      leave_gradient(n);
    }
  }

 private:
  static std::size_t index(TensorId id) { return static_cast<std::size_t>(id); }
  template <class T>
  bool is(std::size_t n) const {
    return dynamic_cast<const T*>(nodes_[n].op.get()) != nullptr;
  }
  template <class T>
  const T& as(std::size_t n) const {
    return static_cast<const T&>(*nodes_[n].op);
  }

  /// The reader as it normalises its input, and where it takes the mean.
  struct Normalising {
    OpPtr op;
    std::size_t mean;
  };

  /// Null where the reader cannot normalise that input (its dy, say), or takes y as another one, too.
  Normalising normalising(const Reader& reader, TensorId y, Activation kind) const {
    const Node& node = nodes_[reader.node];
    if (std::count(node.inputs.begin(), node.inputs.end(), y) != 1) return {};
    for (const NormalisedInput& input : node.op->normalised_inputs())
      if (input.x == static_cast<int>(reader.input))
        return {node.op->with_normalised_input(input.x, kind), static_cast<std::size_t>(input.mean)};
    return {};
  }

  void normalise_on_load(std::size_t n) {
    const Node& norm = nodes_[n];
    const TensorId y = norm.outputs[0];
    const bool residual = norm.inputs.size() > 5 && norm.inputs[5] != kNoTensor;
    const std::vector<Reader>& readers = readers_[index(y)];
    if (residual || kept_[index(y)] || readers.empty()) return;
    const Activation kind = as<BatchNorm>(n).attributes.activation;
    std::vector<Normalising> changed;
    for (const Reader& reader : readers) changed.push_back(normalising(reader, y, kind));
    if (std::ranges::any_of(changed, [](const Normalising& one) { return one.op == nullptr; })) return;
    for (std::size_t r = 0; r < readers.size(); ++r) {
      Node& node = nodes_[readers[r].node];
      node.op = changed[r].op;
      node.inputs[readers[r].input] = norm.inputs[0];
      node.set_input(changed[r].mean + 0, norm.outputs[1]);
      node.set_input(changed[r].mean + 1, norm.outputs[3]);
      node.set_input(changed[r].mean + 2, norm.inputs[2]);
    }
    readers_[index(y)].clear();
  }

  /// Node n's input `slot` gets the sums of its input `of` from the node that writes that, if it can take them.
  void take_sums(std::size_t n, std::size_t of, std::size_t slot, bool backward) {
    const TensorId tensor = nodes_[n].inputs[of];
    const std::size_t from = producer_[index(tensor)];
    if (from == nodes_.size()) return;
    const Node& producer = nodes_[from];
    const int output = producer.op->channel_sums_output();
    if (output < 0 || producer.outputs[0] != tensor) return;
    if (backward && !sums_of(n, producer)) return;
    nodes_[n].set_input(slot, producer.outputs[static_cast<std::size_t>(output)]);
  }

  void take_branch_sums(std::size_t n) {
    const auto& branches = as<BatchNormSum>(n).attributes.branches;
    for (int k = 0; k < static_cast<int>(branches.size()); ++k) {
      if (branches[static_cast<std::size_t>(k)].leader != k) continue;
      take_sums(n, static_cast<std::size_t>(BatchNormSum::input(k, BatchNormSum::kX)),
                static_cast<std::size_t>(BatchNormSum::input(k, BatchNormSum::kSums)), false);
    }
  }

  /// Whether the sums that `producer` takes of its dx are those of backward node n: it masks by n's own normalisation.
  bool sums_of(std::size_t n, const Node& producer) const {
    const Node& norm = nodes_[n];
    return !masked_by_y(norm) &&
           std::ranges::any_of(producer.op->normalised_inputs(), [&](const NormalisedInput& input) {
             const auto mean = static_cast<std::size_t>(input.mean);
             return producer.inputs.size() > mean && producer.inputs[mean] == norm.inputs[4];
           });
  }

  /// Who writes dy takes its sums while it is in the cache, and masks it where the mask comes from y: dy is then the
  /// residual's gradient as well.
  void leave_sums(std::size_t n) {
    Node& norm = nodes_[n];
    const TensorId dy = norm.inputs[0], dresidual = norm.outputs[3];
    const std::size_t from = producer_[index(dy)];
    if (from == nodes_.size() || as<BatchNormBwd>(n).pool || nodes_[from].outputs[0] != dy) return;
    if (norm.inputs.size() > 7 && norm.inputs[7] != kNoTensor) return;
    const bool masked = masked_by_y(norm);
    if (masked && (readers_[index(dy)].size() != 1 || kept_[index(dy)] || kept_[index(dresidual)])) return;
    const BatchNormAttributes attributes = as<BatchNormBwd>(n).attributes;
    OpPtr op = nodes_[from].op->with_backward_sums(attributes.activation);
    if (!op) return;
    const auto first = static_cast<std::size_t>(op->backward_sums_input());
    const TensorId operands[] = {norm.inputs[1], norm.inputs[4], norm.inputs[2], norm.inputs[3]};
    for (std::size_t i = 0; i < std::size(operands); ++i) nodes_[from].set_input(first + i, operands[i]);
    if (masked) nodes_[from].set_input(first + std::size(operands), norm.inputs[6]);
    nodes_[from].op = std::move(op);
    norm.set_input(7, nodes_[from].outputs[static_cast<std::size_t>(nodes_[from].op->channel_sums_output())]);
    if (masked) take_masked(n, dy, dresidual);
  }

  /// Backward node n gets a dy that is masked already.
  void take_masked(std::size_t n, TensorId dy, TensorId dresidual) {
    BatchNormAttributes attributes = as<BatchNormBwd>(n).attributes;
    attributes.activation = Activation::none;
    nodes_[n].op = std::make_shared<BatchNormBwd>(attributes);
    nodes_[n].inputs[6] = kNoTensor;
    for (const Reader& reader : readers_[index(dresidual)]) {
      nodes_[reader.node].inputs[reader.input] = dy;
      readers_[index(dy)].push_back(reader);
    }
    readers_[index(dresidual)].clear();
  }

  /// A BatchNorm's dx has one reader, the backward of the convolution before it, which may make it of dy and x itself.
  void leave_gradient(std::size_t n) {
    const Node& norm = nodes_[n];
    const TensorId dx = norm.outputs[0];
    if (masked_by_y(norm) || as<BatchNormBwd>(n).pool || kept_[index(dx)] || readers_[index(dx)].size() != 1) return;
    const Reader reader = readers_[index(dx)][0];
    Node& node = nodes_[reader.node];
    if (reader.input != 0) return;
    std::vector<TensorSpec> inputs;
    for (const TensorId id : node.inputs) inputs.push_back(id == kNoTensor ? TensorSpec{} : graph_.tensor(id).spec);
    OpPtr op = node.op->with_normalised_gradient(inputs, as<BatchNormBwd>(n).attributes.activation);
    if (!op) return;
    const auto slot = static_cast<std::size_t>(op->gradient_input());
    node.op = std::move(op);
    node.inputs[0] = norm.inputs[0];
    node.set_input(slot, norm.inputs[1]);
    node.set_input(slot + 1, norm.outputs[4]);
  }

  /// What a max pooling gives back is several times as large as what it takes, and has one reader alone.
  void unpool(std::size_t n) {
    Node& norm = nodes_[n];
    const TensorId dy = norm.inputs[0];
    const std::size_t from = producer_[index(dy)];
    if (from == nodes_.size() || !is<MaxPool2dBwd>(from) || readers_[index(dy)].size() != 1 || kept_[index(dy)]) return;
    if (masked_by_y(norm)) return;
    norm.op = std::make_shared<BatchNormBwd>(as<BatchNormBwd>(n).attributes, as<MaxPool2dBwd>(from).attributes);
    norm.inputs[0] = nodes_[from].inputs[0];
    norm.set_input(8, nodes_[from].inputs[1]);
  }

  static bool masked_by_y(const Node& norm) { return norm.inputs.size() > 6 && norm.inputs[6] != kNoTensor; }

  Graph& graph_;
  std::vector<Node>& nodes_;
  std::vector<std::size_t> producer_;
  std::vector<std::vector<Reader>> readers_;
  std::vector<bool> kept_;
};

}  // namespace

void fuse_batchnorm(Graph& graph) { BatchNormFuser(graph).run(); }

}  // namespace bramble::graph
