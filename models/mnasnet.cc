#include "models/mnasnet.h"

#include "models/blocks/inverted_residual.h"

namespace bramble::models {
namespace {

// Figure 7 of the paper without squeeze-excite: stage, repeats, kernel, stride, expansion, channels.
constexpr BlockRow kRows[] = {
    {0, 1, 3, 1, 1, 16}, {1, 3, 3, 2, 3, 24},  {2, 3, 5, 2, 3, 40},  {3, 3, 5, 2, 6, 80},
    {4, 2, 3, 1, 6, 96}, {5, 4, 5, 2, 6, 192}, {6, 1, 3, 1, 6, 320},
};

graph::Model build(const graph::ModelConfig& config, float width) {
  return build_mobile_net({32, kRows, width, graph::Activation::relu}, config);
}

}  // namespace

graph::Model build_mnasnet_050(const ModelInfo&, const graph::ModelConfig& config) { return build(config, 0.5F); }
graph::Model build_mnasnet_075(const ModelInfo&, const graph::ModelConfig& config) { return build(config, 0.75F); }
graph::Model build_mnasnet_100(const ModelInfo&, const graph::ModelConfig& config) { return build(config, 1.0F); }

}  // namespace bramble::models
