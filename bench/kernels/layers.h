// The layers that are measured: the distinct nodes of whole training steps.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/model.h"
#include "graph/optimizer.h"
#include "kernels/conv2d/conv2d.h"

namespace bramble::bench {

/// A model that has a layer, and how often a step runs it.
struct LayerUse {
  std::string model;
  int count = 1;
  bool operator==(const LayerUse&) const = default;
};

struct Layer {
  std::string name;  ///< <op>/<shape>/<pass>: conv2d/56x56_64_3x3/bwd_data
  std::vector<LayerUse> uses;
  graph::OpPtr op;
  std::vector<graph::TensorSpec> inputs;  ///< an empty shape where an optional input is absent
  std::vector<graph::TensorSpec> outputs;
  std::vector<char> read;  ///< which outputs are
  double flops = 0;
  double bytes = 0;  ///< that have to cross the memory bus where no cache holds the tensors
  /// The forward that XNNPACK has an operator for, and what the case of that operator alone is called: this layer's own
  /// name, or another's where this one normalises, activates, adds or sums as well.
  std::optional<kernels::Conv2dShape> peer;
  std::string plain;
  bool is_plain() const { return peer && plain == name; }
};

/// Adds the nodes of `step` that do work and that are not in `layers` yet; a node that is there already gets another
/// use.
void add_distinct_layers(const graph::Graph& step, const std::string& model, std::vector<Layer>& layers);

/// Adds the operators alone, before anything is fused: of a model's `forward` those that XNNPACK has too, and the
/// gradients of its depthwise convolutions. Those that no training step runs so are used 0 times.
void add_plain_layers(const graph::Model& forward, const std::string& model, std::vector<Layer>& layers);

/// The models that the kernels are held against: resnet50, mobilenetv2_100, convnext_tiny, vit_tiny, vit_base,
/// efficientnet_b0, faster_vit_1 and swin_tiny.
std::vector<std::string> measured_models();

/// What a training step may have beyond SGD on the plain model.
struct StepOptions {
  graph::OptimizerKind optimizer = graph::OptimizerKind::sgd;
  bool drop = false;     ///< dropout and stochastic depth
  bool clip = false;     ///< the gradients' norm
  bool average = false;  ///< moving averages of the weights
};

/// The layers of these models at 224 x 224, every parameter trained, and their plain layers. Throws
/// models::UnknownModel.
std::vector<Layer> layers_of_models(std::int64_t batch, const std::vector<std::string>& models = measured_models(),
                                    const StepOptions& options = {});

}  // namespace bramble::bench
