#include "models/initialise.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace bramble::models {
namespace {

/// Weights of convolutions (four dimensions) and of linear layers (two).
enum class Draw : std::uint8_t {
  torch,           ///< PyTorch's own: uniform within 1 / sqrt(fan in), the bias too
  kaiming,         ///< normal, variance 2 / (kernel area * channels out)
  kaiming_groups,  ///< normal, variance 2 / (kernel area * channels out / groups)
  uniform_out,     ///< uniform within 1 / sqrt(channels out)
  normal_001,      ///< normal, deviation 0.01
  normal_002,      ///< normal, deviation 0.02 (timm truncates it at -2 and 2, which is never)
  truncated_002,   ///< normal, deviation 0.02, truncated at two deviations
  xavier,          ///< uniform within sqrt(6 / (fan in + fan out))
  lecun,           ///< normal of variance 1 / fan in, truncated at two deviations
};

struct Scheme {
  const char* family;
  Draw convolution;
  Draw linear;
  bool zero_last_norm = false;  ///< the last BatchNorm of each block begins at 0, and so do the residual branches
  float layer_scale = 1e-6F;
  bool small_mlp = false;  ///< convolutions of perceptrons are drawn as linear layers are
};

// _efficientnet_builder.py's efficientnet_init_weights serves four families; the rest are in the families' own files.
constexpr Scheme kSchemes[] = {
    {"ResNet", Draw::kaiming, Draw::torch, true},
    {"MobileNetV2", Draw::kaiming_groups, Draw::uniform_out},
    {"MobileNetV3", Draw::kaiming_groups, Draw::uniform_out},
    {"MnasNet", Draw::kaiming_groups, Draw::uniform_out},
    {"EfficientNet", Draw::kaiming_groups, Draw::uniform_out},
    {"ViT", Draw::torch, Draw::normal_002},
    {"DeiT", Draw::torch, Draw::normal_002},
    {"ConvNeXt", Draw::normal_002, Draw::normal_002},
    {"MLP-Mixer", Draw::lecun, Draw::xavier},
    {"VGG", Draw::kaiming, Draw::normal_001},
    {"InceptionNeXt", Draw::normal_002, Draw::normal_002},
    {"MobileViTv2", Draw::kaiming_groups, Draw::normal_001, true},
    {"FastViT", Draw::torch, Draw::normal_002, false, 1e-5F, true},
    {"EfficientViT", Draw::torch, Draw::torch},
    {"GhostNetV2", Draw::torch, Draw::torch},
    {"Swin", Draw::torch, Draw::normal_002},
    {"FasterViT", Draw::torch, Draw::normal_002, false, 1e-5F},
    {"MaxViT", Draw::kaiming_groups, Draw::xavier},  // but for its head
    {"EdgeNeXt", Draw::truncated_002, Draw::truncated_002},
    {"EfficientFormer", Draw::torch, Draw::normal_002, false, 1e-5F},
    {"ResNet-9", Draw::torch, Draw::torch},
};

const Scheme& scheme_of(const std::string& family, const std::string& parameter) {
  static constexpr Scheme kTorch = {"", Draw::torch, Draw::torch};
  if (family == "MaxViT" && parameter.starts_with("head.")) return kTorch;
  const auto* found = std::find_if(std::begin(kSchemes), std::end(kSchemes),
                                   [&](const Scheme& scheme) { return family == scheme.family; });
  return found == std::end(kSchemes) ? kTorch : *found;
}

/// splitmix64, begun by the seed and the parameter's name.
class Random {
 public:
  Random(const std::string& name, std::uint64_t seed) : state_(seed * 0xd1342543de82ef95ULL) {
    std::uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a
    for (const char letter : name) hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3ULL;
    state_ += hash;
  }
  /// In [0, 1).
  double unit() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
  }
  double uniform(double bound) { return (2 * unit() - 1) * bound; }
  /// Box and Muller's.
  double normal(double deviation) {
    const double radius = std::sqrt(-2 * std::log(1 - unit()));
    return deviation * radius * std::cos(2 * std::numbers::pi * unit());
  }
  /// Of deviation 1 before what lies beyond two of them is drawn again.
  double truncated() {
    double drawn = normal(1);
    while (std::abs(drawn) > 2) drawn = normal(1);
    return drawn;
  }

 private:
  std::uint64_t state_;
};

struct Fans {
  double in = 1;
  double out = 1;         ///< kernel area * channels out
  double out_groups = 1;  ///< the same of one group
};

Fans fans_of(const graph::TensorSpec& weight) {
  const auto count = static_cast<double>(graph::element_count(weight.shape));
  const auto channels = static_cast<double>(weight.shape[0]);
  const double in = count / channels;
  const double area = in / static_cast<double>(weight.shape[1]);
  const double groups = weight.layout == graph::Layout::depthwise_weight ? channels : weight.groups;
  return {in, area * channels, area * channels / groups};
}

std::vector<float> draw_weight(Draw draw, const Fans& fans, std::size_t count, Random random) {
  // A normal distribution cut at two deviations has 0.8796 of its deviation left.
  constexpr double kTruncated = 0.87962566103423978;
  std::vector<float> values(count);
  for (float& value : values) {
    double drawn = 0;
    switch (draw) {
      case Draw::torch: drawn = random.uniform(1 / std::sqrt(fans.in)); break;
      case Draw::kaiming: drawn = random.normal(std::sqrt(2 / fans.out)); break;
      case Draw::kaiming_groups: drawn = random.normal(std::sqrt(2 / fans.out_groups)); break;
      case Draw::uniform_out: drawn = random.uniform(1 / std::sqrt(fans.out)); break;
      case Draw::normal_001: drawn = random.normal(0.01); break;
      case Draw::normal_002: drawn = random.normal(0.02); break;
      case Draw::truncated_002: drawn = 0.02 * random.truncated(); break;
      case Draw::xavier: drawn = random.uniform(std::sqrt(6 / (fans.in + fans.out))); break;
      case Draw::lecun: drawn = random.truncated() * std::sqrt(1 / fans.in) / kTruncated; break;
    }
    value = static_cast<float>(drawn);
  }
  return values;
}

std::vector<float> normal(std::size_t count, double deviation, Random random) {
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(random.normal(deviation));
  return values;
}

Draw draw_of(const Scheme& scheme, const graph::TensorSpec& weight, const std::string& name) {
  const bool as_linear = scheme.small_mlp && name.find(".mlp.") != std::string::npos;
  return weight.shape.size() == 4 && !as_linear ? scheme.convolution : scheme.linear;
}

/// The bias of the layer whose weight is `weight`; a norm's, whose weight is a vector, is 0.
std::vector<float> draw_bias(const Scheme& scheme, const graph::TensorSpec* weight, const std::string& name,
                             std::size_t count, Random random) {
  if (weight == nullptr || weight->shape.size() < 2) return std::vector<float>(count, 0.0F);
  if (draw_of(scheme, *weight, name) == Draw::torch)
    return draw_weight(Draw::torch, fans_of(*weight), count, random);
  if (scheme.linear == Draw::xavier && name.find("mlp") != std::string::npos) return normal(count, 1e-6, random);
  return std::vector<float>(count, 0.0F);
}

/// A ResNet's bn3 of a bottleneck, bn2 of a basic block; a MobileViTv2's conv3_1x1.bn, in blocks that keep their width.
bool is_last_norm_of_block(const graph::Graph& graph, const std::string& name) {
  constexpr std::string_view kSecond = ".bn2.weight";
  constexpr std::string_view kMobile = ".conv3_1x1.bn.weight";
  if (name.ends_with(".bn3.weight")) return true;
  if (name.ends_with(kMobile)) {
    const std::string first = name.substr(0, name.size() - kMobile.size()) + ".conv1_1x1.conv.weight";
    return graph.tensor(graph.find(first)).spec.shape[1] == graph.tensor(graph.find(name)).spec.shape[0];
  }
  if (!name.ends_with(kSecond)) return false;
  return graph.find(name.substr(0, name.size() - kSecond.size()) + ".bn3.weight") == graph::kNoTensor;
}

}  // namespace

std::vector<float> initial_parameter(const ModelInfo& info, const graph::Graph& graph, const std::string& name,
                                     std::uint64_t seed) {
  const graph::TensorSpec& spec = graph.tensor(graph.find(name)).spec;
  const auto count = static_cast<std::size_t>(graph::element_count(spec.shape));
  const Scheme& scheme = scheme_of(info.family, name);
  const Random random(name, seed);
  if (name == "cls_token") return normal(count, 1e-6, random);
  if (name == "pos_embed" || name.ends_with("relative_position_bias_table")) return normal(count, 0.02, random);
  const std::string_view last = std::string_view(name).substr(name.rfind('.') + 1);
  if (last.starts_with("gamma")) return std::vector<float>(count, scheme.layer_scale);
  if (last == "temperature") return std::vector<float>(count, 1.0F);
  if (last == "attention_biases") return std::vector<float>(count, 0.0F);
  if (name.ends_with(".bias")) {
    const graph::TensorId weight = graph.find(name.substr(0, name.size() - 4) + "weight");
    return draw_bias(scheme, weight == graph::kNoTensor ? nullptr : &graph.tensor(weight).spec, name, count, random);
  }
  if (spec.shape.size() < 2) {
    const bool zero = scheme.zero_last_norm && is_last_norm_of_block(graph, name);
    return std::vector<float>(count, zero ? 0.0F : 1.0F);
  }
  if (info.family == "MLP-Mixer" && name == "head.weight") return std::vector<float>(count, 0.0F);
  return draw_weight(draw_of(scheme, spec, name), fans_of(spec), count, random);
}

}  // namespace bramble::models
