#include "models/mobilenetv2.h"

#include "models/blocks/inverted_residual.h"

namespace bramble::models {
namespace {

// Table 2 of the paper: stage, repeats, kernel, stride, expansion, channels.
constexpr BlockRow kRows[] = {
    {0, 1, 3, 1, 1, 16}, {1, 2, 3, 2, 6, 24},  {2, 3, 3, 2, 6, 32},  {3, 4, 3, 2, 6, 64},
    {4, 3, 3, 1, 6, 96}, {5, 3, 3, 2, 6, 160}, {6, 1, 3, 1, 6, 320},
};

graph::Model build(const graph::ModelConfig& config, float width) {
  return build_mobile_net({32, kRows, width, graph::Activation::relu6}, config);
}

}  // namespace

graph::Model build_mobilenetv2_050(const ModelInfo&, const graph::ModelConfig& config) { return build(config, 0.5F); }
graph::Model build_mobilenetv2_100(const ModelInfo&, const graph::ModelConfig& config) { return build(config, 1.0F); }

}  // namespace bramble::models
