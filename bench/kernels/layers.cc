#include "bench/kernels/layers.h"

#include <algorithm>
#include <set>

#include "bench/kernels/layer_names.h"
#include "engine/layout.h"
#include "graph/autodiff.h"
#include "graph/ops/depthwise_conv2d.h"
#include "graph/training.h"
#include "models/registry.h"

namespace bramble::bench {
namespace {

using graph::Graph;
using graph::Node;
using graph::TensorId;

std::vector<bool> tensors_read(const Graph& graph) {
  std::vector<bool> read(graph.tensors().size(), false);
  for (const Node& node : graph.nodes())
    for (const TensorId id : node.inputs)
      if (id != graph::kNoTensor) read[static_cast<std::size_t>(id)] = true;
  for (const TensorId id : graph.kept()) read[static_cast<std::size_t>(id)] = true;
  return read;
}

double bytes_of(const graph::TensorSpec& spec) {
  return spec.shape.empty() ? 0 : static_cast<double>(engine::storage_bytes(spec));
}

/// A BatchNorm that takes its own sums reads what it sums once more before it can write; one that is given them and
/// leaves its output to its readers reads nothing.
double bytes_read_twice(const Layer& layer) {
  const auto given = [&](std::size_t i) { return i < layer.inputs.size() && !layer.inputs[i].shape.empty(); };
  const std::string_view op = layer.op->name();
  if (op == "batchnorm") return bytes_of(layer.inputs[0]) * ((layer.read[0] ? 1 : 0) - (given(6) ? 1 : 0));
  if (op != "batchnorm_bwd" || given(7)) return 0;
  double bytes = bytes_of(layer.inputs[0]) + bytes_of(layer.inputs[1]);
  for (const std::size_t i : {6, 8})
    if (given(i)) bytes += bytes_of(layer.inputs[i]);
  return bytes;
}

Layer make_layer(const Graph& graph, const Node& node, const std::vector<bool>& read) {
  Layer layer;
  layer.name = layer_name(graph, node, read);
  layer.op = node.op;
  layer.peer = forward_shape(graph, node);
  if (layer.peer) layer.plain = plain_name(graph, node);
  std::set<TensorId> counted;
  for (const TensorId id : node.inputs) {
    layer.inputs.push_back(id == graph::kNoTensor ? graph::TensorSpec{} : graph.tensor(id).spec);
    if (counted.insert(id).second) layer.bytes += bytes_of(layer.inputs.back());
  }
  for (const TensorId id : node.outputs) {
    layer.read.push_back(read[static_cast<std::size_t>(id)]);
    layer.outputs.push_back(graph.tensor(id).spec);
    if (layer.read.back()) layer.bytes += bytes_of(layer.outputs.back());
  }
  layer.bytes += bytes_read_twice(layer);
  layer.flops = node.op->flops(layer.inputs, layer.outputs);
  return layer;
}

bool does_work(const Node& node, const std::vector<bool>& read) {
  if (!node.op->mutated_inputs().empty()) return true;
  for (std::size_t o = 0; o < node.outputs.size(); ++o)
    if (read[static_cast<std::size_t>(node.outputs[o])] && !node.op->is_view(static_cast<int>(o))) return true;
  return false;
}

void add_use(Layer layer, const LayerUse& use, std::vector<Layer>& layers) {
  // The name has the shapes and the epilogue; what it leaves out (a bias, an output that nobody reads) is not worth a
  // case of its own.
  const auto same = std::find_if(layers.begin(), layers.end(), [&](const Layer& l) { return l.name == layer.name; });
  if (same == layers.end()) {
    layer.uses = {use};
    layers.push_back(std::move(layer));
  } else if (same->uses.back().model != use.model) {
    same->uses.push_back(use);
  } else {
    same->uses.back().count += use.count;
  }
}

graph::Model build(const models::ModelInfo& info, std::int64_t batch, float drop_rate) {
  return models::build_model(info, {.batch = batch, .drop_rate = drop_rate, .drop_path_rate = drop_rate});
}

// Gradients are kept, so that products and updates are layers of their own.
Graph training_step(const models::ModelInfo& info, std::int64_t batch, const StepOptions& options) {
  graph::TrainingConfig config;
  config.keep_gradients = true;
  config.optimizer.kind = options.optimizer;
  config.clip_norm = options.clip ? 1.0F : 0;
  config.average = options.average;
  return graph::make_training_step(build(info, batch, options.drop ? 0.1F : 0), config).graph;
}

std::vector<TensorId> parameters(const Graph& graph) {
  std::vector<TensorId> all;
  for (std::size_t id = 0; id < graph.tensors().size(); ++id)
    if (graph.tensors()[id].role == graph::Role::parameter) all.push_back(static_cast<TensorId>(id));
  return all;
}

}  // namespace

void add_distinct_layers(const Graph& step, const std::string& model, std::vector<Layer>& layers) {
  const std::vector<bool> read = tensors_read(step);
  for (const Node& node : step.nodes()) {
    if (!does_work(node, read)) continue;
    add_use(make_layer(step, node, read), {model}, layers);
  }
}

void add_plain_layers(const graph::Model& forward, const std::string& model, std::vector<Layer>& layers) {
  Graph step = forward.graph;
  const graph::TensorSpec logits = step.tensor(forward.logits).spec;
  const TensorId gradient = step.add_tensor({"gradient", logits, graph::Role::input});
  for (const auto& [parameter, of] : graph::differentiate(step, {{forward.logits, gradient}}, parameters(step)))
    step.keep(of);
  const std::vector<bool> read = tensors_read(step);
  for (const Node& node : step.nodes()) {
    Layer layer = make_layer(step, node, read);
    const bool backward = dynamic_cast<const graph::DepthwiseConv2dBwd*>(node.op.get()) != nullptr;
    if (layer.is_plain() || backward) add_use(std::move(layer), {model, 0}, layers);
  }
}

std::vector<std::string> measured_models() {
  return {"resnet50", "mobilenetv2_100", "convnext_tiny", "vit_tiny",
          "vit_base", "efficientnet_b0", "faster_vit_1",  "swin_tiny"};
}

std::vector<Layer> layers_of_models(std::int64_t batch, const std::vector<std::string>& models,
                                    const StepOptions& options) {
  std::vector<Layer> layers;
  for (const std::string& name : models) {
    const models::ModelInfo& info = models::find_model(name);
    add_distinct_layers(training_step(info, batch, options), name, layers);
    add_plain_layers(build(info, batch, 0), name, layers);
  }
  std::stable_sort(layers.begin(), layers.end(), [](const Layer& a, const Layer& b) {
    const auto op = [](const Layer& layer) { return layer.name.substr(0, layer.name.find('/')); };
    return op(a) < op(b);
  });
  return layers;
}

}  // namespace bramble::bench
