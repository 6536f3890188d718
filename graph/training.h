// From a model to a training step: loss, backward, updates, fusion.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "graph/model.h"

namespace bramble::graph {

struct SgdConfig {
  float momentum = 0;
  float weight_decay = 0;
  bool nesterov = false;
};

struct TrainingConfig {
  std::vector<std::string> trainable;  ///< parameters' names; empty: all
  SgdConfig sgd;
  float label_smoothing = 0;
  bool keep_gradients = false;  ///< gradients keep their memory to the end of the step
};

struct TrainingStep {
  Graph graph;
  TensorId images = kNoTensor;
  TensorId labels = kNoTensor;         ///< [batch], i32
  TensorId learning_rate = kNoTensor;  ///< [1]
  TensorId loss = kNoTensor;           ///< [1], mean over the batch
  TensorId logits = kNoTensor;
  TensorId step = kNoTensor;  ///< Model::step
  std::unordered_map<TensorId, TensorId> gradients;  ///< by parameter
};

/// Each parameter is updated as soon as its gradient is complete, so that gradients do not pile up.
/// Throws GraphError for a trainable name that the model does not have.
TrainingStep make_training_step(Model model, const TrainingConfig& config);

/// The forward alone, fused.
Model make_inference(Model model);

}  // namespace bramble::graph
