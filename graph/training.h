// From a model to a training step: loss, backward, updates, fusion.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "graph/model.h"
#include "graph/optimizer.h"

namespace bramble::graph {

struct TrainingConfig {
  std::vector<std::string> trainable;  ///< parameters' names; empty: all
  OptimizerConfig optimizer = {};
  float label_smoothing = 0;
  bool mixed_labels = false;  ///< two labels an image, as mixup makes them
  bool keep_gradients = false;  ///< gradients keep their memory to the end of the step
  float clip_norm = 0;          ///< the norm of all gradients together is at most this; 0: not clipped
  bool accumulate = false;      ///< gradients are summed in memory of their own until they are used
  bool average = false;         ///< moving averages of what is trained, and of the buffers
};

struct TrainingStep {
  Graph graph;
  TensorId images = kNoTensor;
  TensorId labels = kNoTensor;         ///< [batch], i32
  TensorId other_labels = kNoTensor;   ///< [batch], i32, with mixed_labels
  TensorId label_shares = kNoTensor;   ///< [batch], of the first labels, with mixed_labels
  TensorId learning_rate = kNoTensor;  ///< [1]
  TensorId corrections = kNoTensor;    ///< AdamW's [2]: 1 - beta1^t, 1 - beta2^t
  TensorId sum_weights = kNoTensor;    ///< of the gradients' sums [2]: what is kept, what is added
  TensorId average_weights = kNoTensor;  ///< of the moving averages [2]: likewise
  TensorId loss = kNoTensor;             ///< [1], mean over the batch
  TensorId logits = kNoTensor;
  TensorId step = kNoTensor;  ///< Model::step
  std::unordered_map<TensorId, TensorId> gradients;  ///< by parameter
  std::size_t loss_end = 0;  ///< the nodes before it are the forward and the loss; of what persists they write buffers alone
  /// The nodes from here on are not run for every batch where gradients are summed: updates, moving averages.
  std::size_t first_update = 0;
};

/// Each parameter is updated as soon as its gradient is complete, so that gradients do not pile up; with clip_norm or
/// accumulate, after all gradients are. Throws GraphError for a trainable name that the model does not have.
TrainingStep make_training_step(Model model, const TrainingConfig& config);

/// "conv1.weight" -> "conv1.weight.average"
std::string average_name(const std::string& value);

/// The forward alone, fused.
Model make_inference(Model model);

}  // namespace bramble::graph
