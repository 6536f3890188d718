// A model as its forward graph, and the calls that models/ build it with. Names follow timm's state_dict.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"

namespace bramble::graph {

/// What a model is built for. Images are [batch, height, width, 3], normalised, NHWC.
struct ModelConfig {
  std::int64_t batch = 16;
  std::int64_t size = 224;  ///< height and width
  std::int64_t classes = 1000;
  bool training = true;  ///< false: BatchNorm takes its running statistics, and nothing is dropped at random
  /// Training with the running statistics, which stay as they are: PyTorch's bn.eval(). Scale and bias can be trained.
  bool frozen_batchnorm = false;
  float drop_rate = 0;       ///< of dropout, where timm's drop_rate puts it: before the classifier
  float drop_path_rate = 0;  ///< of stochastic depth, in the last block; in the others by timm's rule for the family
  std::uint64_t seed = 0;    ///< of what is dropped
};

struct Model {
  Graph graph;
  TensorId images = kNoTensor;
  TensorId logits = kNoTensor;  ///< [batch, classes]
  TensorId step = kNoTensor;    ///< the step's number, [1] i32, where something is dropped at random
};

}  // namespace bramble::graph
