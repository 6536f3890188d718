#include "graph/training.h"

#include <memory>

#include "graph/autodiff.h"
#include "graph/fuse.h"
#include "graph/fuse_batchnorm.h"
#include "graph/ops/sgd.h"
#include "graph/ops/softmax_cross_entropy.h"

namespace bramble::graph {
namespace {

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

void append_update(TrainingStep& step, const SgdConfig& sgd, TensorId parameter, TensorId gradient) {
  Graph& graph = step.graph;
  const Tensor tensor = graph.tensor(parameter);
  const TensorId momentum =
      sgd.momentum == 0 ? kNoTensor : graph.add_tensor({tensor.name + ".momentum", tensor.spec, Role::state});
  const SgdAttributes attributes{sgd.momentum, sgd.weight_decay, sgd.nesterov};
  graph.add_node(std::make_shared<Sgd>(attributes), tensor.name, {parameter, gradient, step.learning_rate, momentum});
}

}  // namespace

TrainingStep make_training_step(Model model, const TrainingConfig& config) {
  TrainingStep step;
  step.images = model.images;
  step.logits = model.logits;
  step.step = model.step;
  step.graph = std::move(model.graph);
  Graph& graph = step.graph;
  const Shape logits_shape = graph.tensor(step.logits).spec.shape;
  step.labels = graph.add_tensor({"labels", {{logits_shape[0]}, DType::i32}, Role::input});
  step.learning_rate = graph.add_tensor({"learning_rate", {{1}}, Role::input});
  const std::vector<TensorId> trainable = find_trainable(graph, config.trainable);

  fuse_forward(graph);
  const SoftmaxCrossEntropyAttributes loss{config.label_smoothing};
  step.loss = graph.add_node(std::make_shared<SoftmaxCrossEntropy>(loss), "loss", {step.logits, step.labels})[0];
  step.gradients = differentiate(graph, {{step.loss}}, trainable, [&](TensorId parameter, TensorId gradient) {
    append_update(step, config.sgd, parameter, gradient);
  });
  fuse_gelu_gradients(graph);
  fuse_gradient_sums(graph);

  graph.keep(step.loss);
  graph.keep(step.logits);
  if (config.keep_gradients)
    for (const auto& [parameter, gradient] : step.gradients) graph.keep(gradient);
  fuse_batchnorm(graph);
  return step;
}

Model make_inference(Model model) {
  fuse_forward(model.graph);
  model.graph.keep(model.logits);
  fuse_batchnorm(model.graph);
  return model;
}

}  // namespace bramble::graph
