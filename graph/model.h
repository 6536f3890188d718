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
  bool training = true;  ///< false: BatchNorm takes its running statistics
};

struct Model {
  Graph graph;
  TensorId images = kNoTensor;
  TensorId logits = kNoTensor;  ///< [batch, classes]
};

}  // namespace bramble::graph
