#include "models/fastvit.h"

#include <array>
#include <numeric>

#include "graph/builder.h"
#include "models/blocks/drop_path_rate.h"

namespace bramble::models {
namespace {

using graph::BatchNormBranch;
using graph::Builder;
using graph::TensorId;

constexpr int kStages = 4;
constexpr int kMlpRatio = 3;
constexpr int kHeadRatio = 2;
constexpr int kPatch = 7;
constexpr int kSqueeze = 16;  // the head's squeeze-excite reduces by

struct Variant {
  std::array<int, kStages> depths;
  std::array<int, kStages> channels;
};

/// The branches of a MobileOne block: identity where it fits, kxk, and 1x1 beside it (Vasu et al., 2022).
std::vector<BatchNormBranch> mobile_one_branches(Builder& b, const std::string& name, TensorId x, int out, int kernel,
                                                 int stride, int groups) {
  std::vector<BatchNormBranch> branches;
  if (b.channels(x) == out && stride == 1) branches.push_back(b.batchnorm_branch(name + ".identity", x));
  branches.push_back(
      b.conv_branch(name + ".conv_kxk.0", x, out, kernel, {.stride = stride, .padding = kernel / 2, .groups = groups}));
  if (kernel > 1)
    branches.push_back(b.conv_branch(name + ".conv_scale", x, out, 1, {.stride = stride, .groups = groups}));
  return branches;
}

TensorId mobile_one(Builder& b, const std::string& name, TensorId x, int out, int kernel, int stride, int groups) {
  return b.gelu(b.batchnorm_sum(name, mobile_one_branches(b, name, x, out, kernel, stride, groups)));
}

TensorId stem(Builder& b, int channels) {
  const TensorId x = mobile_one(b, "stem.0", b.images(), channels, 3, 2, 1);
  return mobile_one(b, "stem.2", mobile_one(b, "stem.1", x, channels, 3, 2, channels), channels, 1, 1, 1);
}

/// Patches by two large depthwise kernels that make two channels of each, then 1x1.
TensorId downsample(Builder& b, const std::string& name, TensorId x, int out) {
  const int in = static_cast<int>(b.channels(x));
  const BatchNormBranch large = b.conv_branch(name + ".proj.0.large_conv", x, out, kPatch,
                                              {.stride = 2, .padding = kPatch / 2, .groups = in});
  const BatchNormBranch small =
      b.conv_branch(name + ".proj.0.small_conv", x, out, 3, {.stride = 2, .padding = 1, .groups = in});
  return mobile_one(b, name + ".proj.1", b.batchnorm_sum(name + ".proj.0", {large, small}), out, 1, 1, 1);
}

/// x + layer_scale * (mixer(x) - norm(x))
TensorId rep_mixer(Builder& b, const std::string& name, TensorId x) {
  const int channels = static_cast<int>(b.channels(x));
  BatchNormBranch norm = b.batchnorm_branch(name + ".norm.identity", x);
  norm.negative = true;
  std::vector<BatchNormBranch> branches = mobile_one_branches(b, name + ".mixer", x, channels, 3, 1, channels);
  branches.push_back(norm);
  return b.batchnorm_sum(name, branches, x, b.parameter(name + ".layer_scale.gamma", {channels, 1, 1}));
}

TensorId block(Builder& b, const std::string& name, TensorId x, float drop_path) {
  const int channels = static_cast<int>(b.channels(x));
  x = rep_mixer(b, name + ".token_mixer", x);
  TensorId y = b.conv2d(name + ".mlp.conv.conv", x, channels, 7, {.padding = 3, .groups = channels});
  y = b.batchnorm(name + ".mlp.conv.bn", y);
  y = b.gelu(b.conv2d(name + ".mlp.fc1", y, kMlpRatio * channels, 1, {.bias = true}));
  y = b.conv2d(name + ".mlp.fc2", y, channels, 1, {.bias = true});
  y = b.scale(y, b.parameter(name + ".layer_scale.gamma", {channels, 1, 1}));
  return b.add(b.drop_path(y, drop_path), x);
}

graph::Model build(const graph::ModelConfig& config, const Variant& variant) {
  Builder b(config);
  TensorId x = stem(b, variant.channels[0]);
  const int blocks = std::accumulate(variant.depths.begin(), variant.depths.end(), 0);
  int index = 0;
  for (std::size_t s = 0; s < kStages; ++s) {
    const std::string stage = "stages." + std::to_string(s);
    if (s > 0) x = downsample(b, stage + ".downsample", x, variant.channels[s]);
    for (int i = 0; i < variant.depths[s]; ++i)
      x = block(b, stage + ".blocks." + std::to_string(i), x, drop_path_rate(config, index++, blocks));
  }
  const int in = static_cast<int>(b.channels(x)), features = kHeadRatio * in;
  // timm registers the squeeze-excite before the branches.
  const graph::SqueezeExciteOptions options{.reduced = features / kSqueeze, .reduce = "fc1", .expand = "fc2"};
  const auto gate = b.squeeze_excite_tensors("final_conv.se", features, options);
  x = b.batchnorm_sum("final_conv", mobile_one_branches(b, "final_conv", x, features, 3, 1, in));
  x = b.gelu(b.squeeze_excite("final_conv.se", x, gate, options));
  return b.finish(b.classifier("head.fc", b.global_avg_pool(x)));
}

}  // namespace

graph::Model build_fastvit_t8(const ModelInfo&, const graph::ModelConfig& config) {
  return build(config, {{2, 2, 4, 2}, {48, 96, 192, 384}});
}
graph::Model build_fastvit_t12(const ModelInfo&, const graph::ModelConfig& config) {
  return build(config, {{2, 2, 6, 2}, {64, 128, 256, 512}});
}

}  // namespace bramble::models
