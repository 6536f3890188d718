#include "models/mobilenetv2.h"

#include "models/blocks/inverted_residual.h"

namespace bramble::models {
namespace {

// Table 2 of the paper: repeats, kernel, stride, expansion, channels.
constexpr Stage kStages[] = {
    {1, 3, 1, 1, 16}, {2, 3, 2, 6, 24}, {3, 3, 2, 6, 32},  {4, 3, 2, 6, 64},
    {3, 3, 1, 6, 96}, {3, 3, 2, 6, 160}, {1, 3, 1, 6, 320},
};

graph::Model build(const graph::ModelConfig& config, float width) {
  return build_mobile_net({32, kStages, width, graph::Activation::relu6}, config);
}

}  // namespace

graph::Model build_mobilenetv2_050(const ModelInfo&, const graph::ModelConfig& config) { return build(config, 0.5F); }
graph::Model build_mobilenetv2_100(const ModelInfo&, const graph::ModelConfig& config) { return build(config, 1.0F); }

}  // namespace bramble::models
