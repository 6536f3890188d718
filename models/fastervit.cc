#include "models/fastervit.h"

#include <array>

#include "models/blocks/drop_path_rate.h"
#include "models/blocks/mlp.h"
#include "models/blocks/position_mlp.h"
#include "models/fastervit_windows.h"

namespace bramble::models {
namespace {

using graph::Builder;
using graph::TensorId;
using graph::TokenLists;

constexpr int kLevels = 4;
constexpr int kHierarchicalLevel = 2;
constexpr std::int64_t kSize = 224;
constexpr std::int64_t kWindow = CarrierWindows::kWindow;
constexpr std::array<int, kLevels> kHeads = {2, 4, 8, 16};
constexpr float kLayerNormEps = 1e-5F;

struct Variant {
  std::array<int, kLevels> depths;
  int channels;  ///< of the first level; each one after it has twice as many
  int stem_channels;
  bool layer_scale = false;  ///< and the carrier tokens are added to the image at last
};

TensorId attention(Builder& b, const std::string& name, TensorId x, std::int64_t side, std::int64_t prefix, int heads) {
  const int channels = static_cast<int>(b.channels(x));
  const TensorId qkv = b.linear(name + ".qkv", x, 3 * channels);
  const TensorId bias = relative_position_mlp(b, name + ".pos_emb_funct", side, prefix, heads);
  const TensorId y =
      b.dropout(b.linear(name + ".proj", b.attention(qkv, {.heads = heads}, bias), channels), b.config().drop_rate);
  b.move_parameters_to_end(name + ".pos_emb_funct.");
  return y;
}

TensorId perceptron(Builder& b, const std::string& name, TensorId x) {
  return mlp(b, name, x, graph::Activation::gelu, b.config().drop_rate);
}

/// What a block's residual branches are multiplied by, if anything (carriers' attention and perceptron, windows'
/// attention and perceptron), and how often they are dropped.
struct Branches {
  TensorId gamma1 = graph::kNoTensor, gamma2 = graph::kNoTensor, gamma3 = graph::kNoTensor, gamma4 = graph::kNoTensor;
  float drop_path = 0;

  TensorId add(Builder& b, TensorId x, TensorId y, TensorId gamma) const {
    return b.add(x, b.drop_path(gamma == graph::kNoTensor ? y : b.scale(y, gamma), drop_path));
  }
};

Branches branches_of(Builder& b, const Variant& variant, const std::string& name, int channels, bool has_carriers,
                     float drop_path) {
  Branches all;
  all.drop_path = drop_path;
  if (!variant.layer_scale) return all;
  all.gamma3 = b.parameter(name + ".gamma3", {channels});
  all.gamma4 = b.parameter(name + ".gamma4", {channels});
  if (has_carriers) {
    all.gamma1 = b.parameter(name + ".gamma1", {channels});
    all.gamma2 = b.parameter(name + ".gamma2", {channels});
  }
  return all;
}

/// Attention of all carriers to each other, row by row, and their perceptron.
TensorId carrier_block(Builder& b, const std::string& name, TensorId carriers, std::int64_t side, int heads,
                       const Branches& branches) {
  const int channels = static_cast<int>(b.channels(carriers));
  TensorId x = b.add_bias(carriers, position_embedding(b, name + ".hat_pos_embed", side, channels));
  TensorId y = b.layernorm(name + ".hat_norm1", x, kLayerNormEps);
  x = branches.add(b, x, attention(b, name + ".hat_attn", y, side, 0, heads), branches.gamma1);
  y = b.layernorm(name + ".hat_norm2", x, kLayerNormEps);
  return branches.add(b, x, perceptron(b, name + ".hat_mlp", y), branches.gamma2);
}

/// Attention within windows of `prefix` + 7 x 7 tokens, and the perceptron.
TensorId window_block(Builder& b, const std::string& name, TensorId x, std::int64_t prefix, int heads,
                      const Branches& branches) {
  TensorId y = b.layernorm(name + ".norm1", x, kLayerNormEps);
  x = branches.add(b, x, attention(b, name + ".attn", y, kWindow, prefix, heads), branches.gamma3);
  y = b.layernorm(name + ".norm2", x, kLayerNormEps);
  return branches.add(b, x, perceptron(b, name + ".mlp", y), branches.gamma4);
}

/// The windows' position embedding, with zeros for the carriers before them.
TensorId window_positions(Builder& b, const std::string& name, std::int64_t prefix, int channels) {
  const TensorId positions = position_embedding(b, name + ".pos_embed", kWindow, channels);
  if (prefix == 0) return positions;
  TokenLists lists;
  for (std::int64_t i = 0; i < prefix; ++i) lists.add({});
  for (std::int32_t i = 0; i < kWindow * kWindow; ++i) lists.add({i});
  return b.gather_tokens({positions}, std::move(lists));
}

/// Level of windows with carrier tokens: x [N, H, W, C] -> the same.
TensorId hierarchical_level(Builder& b, const Variant& variant, const std::string& name, TensorId x, int depth,
                            int heads, DropPathRates& drop_paths) {
  const graph::Shape shape = b.shape(x);
  const CarrierWindows windows(shape[1] / kWindow);
  const std::int64_t side = windows.carrier_side(), image_side = windows.image_side();
  const std::int64_t images = shape[0], image_tokens = image_side * image_side;
  const int channels = static_cast<int>(shape[3]);

  // Pooled by as many overlapping squares as there are carriers.
  TensorId carriers =
      b.conv2d(name + ".global_tokenizer.pos_embed", x, channels, 3, {.padding = 1, .groups = channels, .bias = true});
  const int stride = static_cast<int>(image_side / side);
  carriers = b.avg_pool2d(carriers, static_cast<int>(image_side - (side - 1) * stride), stride);
  carriers = b.reshape(carriers, {images, side * side, channels});
  x = b.reshape(x, {images, image_tokens, channels});

  Branches branches;
  for (int i = 0; i < depth; ++i) {
    const std::string block = name + ".blocks." + std::to_string(i);
    branches = branches_of(b, variant, block, channels, true, drop_paths.next());
    if (i > 0) carriers = b.gather_tokens({x}, windows.carriers());
    carriers = carrier_block(b, block, carriers, side, heads, branches);
    x = b.gather_tokens({x, carriers}, i == 0 ? windows.from_image() : windows.with_new_carriers());
    x = b.reshape(x, {images * windows.windows(), CarrierWindows::kLength, channels});
    x = b.add_bias(x, window_positions(b, block, CarrierWindows::kPrefix, channels));
    x = window_block(b, block, x, CarrierWindows::kPrefix, heads, branches);
    x = b.reshape(x, {images, windows.tokens(), channels});
    for (const char* part : {".hat_norm1.", ".hat_norm2.", ".hat_attn.", ".hat_mlp.", ".hat_pos_embed."})
      b.move_parameters_to_end(block + part);
  }
  TensorId y = b.gather_tokens({x}, windows.image());
  if (variant.layer_scale) y = b.add(y, b.scale(b.gather_tokens({x}, windows.spread_carriers()), branches.gamma1));
  return b.reshape(y, shape);
}

/// Level of one window: x [N, 7, 7, C] -> the same.
TensorId whole_image_level(Builder& b, const Variant& variant, const std::string& name, TensorId x, int depth,
                           int heads, DropPathRates& drop_paths) {
  const graph::Shape shape = b.shape(x);
  const int channels = static_cast<int>(shape[3]);
  x = b.reshape(x, {shape[0], kWindow * kWindow, channels});
  for (int i = 0; i < depth; ++i) {
    const std::string block = name + ".blocks." + std::to_string(i);
    const Branches branches = branches_of(b, variant, block, channels, false, drop_paths.next());
    x = b.add_bias(x, window_positions(b, block, 0, channels));
    x = window_block(b, block, x, 0, heads, branches);
  }
  return b.reshape(x, shape);
}

TensorId convolution_block(Builder& b, const std::string& name, TensorId x, float drop_path) {
  const int channels = static_cast<int>(b.channels(x));
  TensorId y = b.conv2d(name + ".conv1", x, channels, 3, {.padding = 1, .bias = true});
  y = b.gelu(b.batchnorm(name + ".norm1", y));
  y = b.conv2d(name + ".conv2", y, channels, 3, {.padding = 1, .bias = true});
  return b.add(b.drop_path(b.batchnorm(name + ".norm2", y), drop_path), x);
}

TensorId patch_embedding(Builder& b, const Variant& variant) {
  constexpr float kEps = 1e-4F;
  TensorId x = b.conv2d("patch_embed.conv_down.0", b.images(), variant.stem_channels, 3, {.stride = 2, .padding = 1});
  x = b.relu(b.batchnorm("patch_embed.conv_down.1", x, kEps));
  x = b.conv2d("patch_embed.conv_down.3", x, variant.channels, 3, {.stride = 2, .padding = 1});
  return b.relu(b.batchnorm("patch_embed.conv_down.4", x, kEps));
}

TensorId level(Builder& b, const Variant& variant, int number, TensorId x, DropPathRates& drop_paths) {
  const std::string name = "levels." + std::to_string(number);
  const int depth = variant.depths[static_cast<std::size_t>(number)];
  const int heads = kHeads[static_cast<std::size_t>(number)];
  if (number < kHierarchicalLevel) {
    for (int i = 0; i < depth; ++i)
      x = convolution_block(b, name + ".blocks." + std::to_string(i), x, drop_paths.next());
    return x;
  }
  return number == kHierarchicalLevel ? hierarchical_level(b, variant, name, x, depth, heads, drop_paths)
                                      : whole_image_level(b, variant, name, x, depth, heads, drop_paths);
}

TensorId downsample(Builder& b, const std::string& name, TensorId x) {
  constexpr float kEps = 1e-6F;
  const int channels = static_cast<int>(b.channels(x));
  return b.conv2d(name + ".reduction.0", b.layernorm(name + ".norm", x, kEps), 2 * channels, 3,
                  {.stride = 2, .padding = 1});
}

graph::Model build(const graph::ModelConfig& config, const Variant& variant) {
  if (config.size != kSize)
    throw graph::GraphError("images of " + std::to_string(config.size) + "x" + std::to_string(config.size) +
                            " do not fit: windows and carrier tokens are for 224x224; use --size 224");
  Builder b(config);
  DropPathRates drop_paths(config, variant.depths);
  TensorId x = patch_embedding(b, variant);
  for (int number = 0; number < kLevels; ++number) {
    x = level(b, variant, number, x, drop_paths);
    const std::string name = "levels." + std::to_string(number);
    if (number + 1 < kLevels) x = downsample(b, name + ".downsample", x);
    if (number == kHierarchicalLevel) b.move_parameters_to_end(name + ".global_tokenizer.");
  }
  x = b.global_avg_pool(b.batchnorm("norm", x));
  return b.finish(b.linear("head", x, static_cast<int>(config.classes)));
}

}  // namespace

graph::Model build_faster_vit_0(const ModelInfo&, const graph::ModelConfig& config) {
  return build(config, {{2, 3, 6, 5}, 64, 64});
}
graph::Model build_faster_vit_1(const ModelInfo&, const graph::ModelConfig& config) {
  return build(config, {{1, 3, 8, 5}, 80, 32});
}
graph::Model build_faster_vit_2(const ModelInfo&, const graph::ModelConfig& config) {
  return build(config, {{3, 3, 8, 5}, 96, 64});
}
graph::Model build_faster_vit_3(const ModelInfo&, const graph::ModelConfig& config) {
  return build(config, {{3, 3, 12, 5}, 128, 64, true});
}

}  // namespace bramble::models
