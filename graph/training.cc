#include "graph/training.h"

#include <algorithm>
#include <memory>

#include "graph/autodiff.h"
#include "graph/freeze.h"
#include "graph/fuse.h"
#include "graph/fuse_batchnorm.h"
#include "graph/fuse_concat.h"
#include "graph/fuse_gate.h"
#include "graph/fuse_updates.h"
#include "graph/ops/adamw.h"
#include "graph/ops/blend.h"
#include "graph/ops/clip_scale.h"
#include "graph/ops/lion.h"
#include "graph/ops/sgd.h"
#include "graph/ops/softmax_cross_entropy.h"
#include "graph/spread_rows.h"
#include "graph/view_parts.h"

namespace bramble::graph {
namespace {

constexpr const char* kAverageSuffix = ".average";

std::vector<TensorId> find_trainable(const Graph& graph, const std::vector<std::string>& names) {
  std::vector<TensorId> trainable;
  if (names.empty()) {
    for (std::size_t id = 0; id < graph.tensors().size(); ++id)
      if (graph.tensors()[id].role == Role::parameter) trainable.push_back(static_cast<TensorId>(id));
    return trainable;
  }
  for (const std::string& name : names) {
    const TensorId id = graph.find(name);
    if (id == kNoTensor || graph.tensor(id).role != Role::parameter)
      throw GraphError("the model has no parameter '" + name + "' to train");
    trainable.push_back(id);
  }
  return trainable;
}

/// Appends what happens to gradients once they are complete.
class Updates {
 public:
  Updates(TrainingStep& step, const TrainingConfig& config) : step_(step), config_(config) {
    if (config.accumulate) step.sum_weights = input("sum_weights", 2);
    if (config.average) step.average_weights = input("average_weights", 2);
    if (config.optimizer.kind == OptimizerKind::adamw) step.corrections = input("corrections", 2);
  }

  /// Right after `gradient`.
  void take(TensorId parameter, TensorId gradient) {
    if (config_.accumulate) {
      const TensorId sum = state(parameter, ".gradient");
      blend(parameter, sum, gradient, step_.sum_weights);
      gradient = sum;
    }
    if (!deferred()) return update(parameter, gradient, kNoTensor);
    waiting_.push_back({parameter, gradient});
  }

  /// After the last gradient.
  void finish() {
    step_.first_update = graph().nodes().size();
    TensorId factor = kNoTensor;
    if (config_.clip_norm > 0 && !waiting_.empty()) {
      std::vector<TensorId> gradients;
      for (const Waiting& one : waiting_) gradients.push_back(one.gradient);
      factor = graph().add_node(std::make_shared<ClipScale>(config_.clip_norm), "clip", gradients, Role::gradient)[0];
    }
    for (const Waiting& one : waiting_) update(one.parameter, one.gradient, factor);
    if (config_.average) average_all();
  }

 private:
  struct Waiting {
    TensorId parameter;
    TensorId gradient;
  };

  Graph& graph() { return step_.graph; }
  bool deferred() const { return config_.accumulate || config_.clip_norm > 0; }
  TensorId input(const char* name, std::int64_t elements) {
    return graph().add_tensor({name, {{elements}}, Role::input});
  }
  TensorId state(TensorId of, const std::string& suffix) {
    const Tensor tensor = graph().tensor(of);
    return graph().add_tensor({tensor.name + suffix, tensor.spec, Role::state});
  }
  void blend(TensorId of, TensorId target, TensorId added, TensorId weights) {
    graph().add_node(std::make_shared<Blend>(), graph().tensor(of).name, {target, added, weights});
  }

  void update(TensorId parameter, TensorId gradient, TensorId factor) {
    const OptimizerConfig& o = config_.optimizer;
    const Tensor tensor = graph().tensor(parameter);
    const float decay = !o.decays || o.decays(tensor) ? o.weight_decay : 0;
    OpPtr op;
    std::vector<TensorId> inputs = {parameter, gradient, step_.learning_rate};
    switch (o.kind) {
      case OptimizerKind::sgd:
        op = std::make_shared<Sgd>(SgdAttributes{o.momentum, decay, o.nesterov});
        inputs.push_back(o.momentum == 0 ? kNoTensor : state(parameter, ".momentum"));
        break;
      case OptimizerKind::adamw:
        op = std::make_shared<Adamw>(AdamwAttributes{o.beta1, o.beta2, o.eps, decay});
        inputs.insert(inputs.end(), {step_.corrections, state(parameter, ".mean"), state(parameter, ".variance")});
        break;
      case OptimizerKind::lion:
        op = std::make_shared<Lion>(LionAttributes{o.beta1, o.beta2, decay});
        inputs.push_back(state(parameter, ".mean"));
        break;
    }
    inputs.push_back(factor);
    graph().add_node(std::move(op), tensor.name, std::move(inputs));
    if (config_.average) averaged_.push_back(parameter);
  }

  void average_all() {
    for (std::size_t id = 0; id < graph().tensors().size(); ++id)
      if (graph().tensors()[id].role == Role::buffer) averaged_.push_back(static_cast<TensorId>(id));
    for (const TensorId id : averaged_) blend(id, state(id, kAverageSuffix), id, step_.average_weights);
  }

  TrainingStep& step_;
  const TrainingConfig& config_;
  std::vector<Waiting> waiting_;
  std::vector<TensorId> averaged_;
};

}  // namespace

std::string average_name(const std::string& value) { return value + kAverageSuffix; }

TrainingStep make_training_step(Model model, const TrainingConfig& config) {
  TrainingStep step;
  step.images = model.images;
  step.logits = model.logits;
  step.step = model.step;
  step.graph = std::move(model.graph);
  Graph& graph = step.graph;
  const Shape logits_shape = graph.tensor(step.logits).spec.shape;
  step.labels = graph.add_tensor({"labels", {{logits_shape[0]}, DType::i32}, Role::input});
  std::vector<TensorId> loss_inputs = {step.logits, step.labels};
  if (config.mixed_labels) {
    step.other_labels = graph.add_tensor({"other_labels", {{logits_shape[0]}, DType::i32}, Role::input});
    step.label_shares = graph.add_tensor({"label_shares", {{logits_shape[0]}}, Role::input});
    loss_inputs.insert(loss_inputs.end(), {step.other_labels, step.label_shares});
  }
  step.learning_rate = graph.add_tensor({"learning_rate", {{1}}, Role::input});
  const std::vector<TensorId> trainable = find_trainable(graph, config.trainable);

  fuse_forward(graph);
  freeze(graph, trainable);
  const SoftmaxCrossEntropyAttributes loss{config.label_smoothing};
  step.loss = graph.add_node(std::make_shared<SoftmaxCrossEntropy>(loss), "loss", loss_inputs)[0];
  Updates updates(step, config);
  step.gradients = differentiate(graph, {{step.loss}}, trainable,
                                 [&](TensorId parameter, TensorId gradient) { updates.take(parameter, gradient); });
  updates.finish();
  const std::size_t update_count = graph.nodes().size() - step.first_update;
  fuse_gelu_gradients(graph);
  fuse_gradient_sums(graph);

  graph.keep(step.loss);
  graph.keep(step.logits);
  if (config.keep_gradients)
    for (const auto& [parameter, gradient] : step.gradients) graph.keep(gradient);
  fuse_batchnorm(graph);
  fuse_gate(graph);
  fuse_concat(graph);
  fuse_updates(graph);
  spread_rows(graph);
  view_parts(graph);
  // Fusion has changed the nodes before the updates, not these.
  step.first_update = graph.nodes().size() - update_count;
  const auto computes_loss = [&](const Node& node) {
    return std::ranges::find(node.outputs, step.loss) != node.outputs.end();
  };
  const auto loss_node = std::ranges::find_if(graph.nodes(), computes_loss);
  step.loss_end = static_cast<std::size_t>(loss_node - graph.nodes().begin()) + 1;
  return step;
}

Model make_inference(Model model) {
  fuse_forward(model.graph);
  freeze(model.graph, {});
  model.graph.keep(model.logits);
  fuse_batchnorm(model.graph);
  fuse_gate(model.graph);
  fuse_concat(model.graph);
  view_parts(model.graph);
  return model;
}

}  // namespace bramble::graph
