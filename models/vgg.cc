#include "models/vgg.h"

#include <span>

#include "graph/builder.h"

namespace bramble::models {
namespace {

using graph::Builder;
using graph::ResizeMode;
using graph::TensorId;

constexpr int kPool = 0;
constexpr int kHidden = 4096;
constexpr int kHeadKernel = 7;
constexpr int kSmallestSize = 32;  // of which one pixel is left

// Table 1 of the paper, columns A and D: channels of the 3x3 convolutions, and where max pooling halves the image.
constexpr int kA[] = {64, kPool, 128, kPool, 256, 256, kPool, 512, 512, kPool, 512, 512, kPool};
constexpr int kD[] = {64,  64,  kPool, 128, 128, kPool, 256, 256,  256,
                      kPool, 512, 512, 512, kPool, 512, 512, 512, kPool};

graph::Model build(const graph::ModelConfig& config, std::span<const int> layers) {
  if (config.size < kSmallestSize)
    throw graph::GraphError("images of " + std::to_string(config.size) + "x" + std::to_string(config.size) +
                            " are too small for five times max pooling; use --size 32 or larger");
  Builder b(config);
  TensorId x = b.images();
  int index = 0;  // in the features' names: a convolution and its ReLU are two, pooling is one
  for (const int channels : layers) {
    if (channels == kPool) {
      x = b.max_pool2d(x, 2, 2, 0);
      index += 1;
    } else {
      x = b.relu(b.conv2d("features." + std::to_string(index), x, channels, 3, {.padding = 1, .bias = true}));
      index += 2;
    }
  }
  // The head's convolution needs all of its 7 x 7 pixels.
  if (b.shape(x)[1] < kHeadKernel) x = b.resize(x, ResizeMode::adaptive_average, kHeadKernel, kHeadKernel);
  x = b.relu(b.conv2d("pre_logits.fc1", x, kHidden, kHeadKernel, {.bias = true}));
  x = b.dropout(x, config.drop_rate);
  x = b.relu(b.conv2d("pre_logits.fc2", x, kHidden, 1, {.bias = true}));
  return b.finish(b.classifier("head.fc", b.global_avg_pool(x)));
}

}  // namespace

graph::Model build_vgg11(const ModelInfo&, const graph::ModelConfig& config) { return build(config, kA); }
graph::Model build_vgg16(const ModelInfo&, const graph::ModelConfig& config) { return build(config, kD); }

}  // namespace bramble::models
