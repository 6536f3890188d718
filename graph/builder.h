// The calls that a model is written with. Each adds a layer's parameters under timm's names, in the order of the calls
// (which is thus state_dict's, but for move_parameters_to_end), and the layer's nodes; GraphError names the layer.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/activation.h"
#include "graph/extent2d.h"
#include "graph/model.h"
#include "graph/ops/attention.h"
#include "graph/ops/dropout.h"
#include "graph/ops/gather_tokens.h"
#include "graph/ops/relative_position_bias.h"
#include "graph/ops/resize.h"

namespace bramble::graph {

struct Conv2dOptions {
  int stride = 1;
  Extent2d padding = 0;
  int dilation = 1;
  int groups = 1;
  bool bias = false;
  bool same = false;  ///< TensorFlow's padding instead: as many pixels out as strides in, an odd one below and right
};

struct SqueezeExciteOptions {
  int reduced = 1;
  Activation activation = Activation::relu;
  Activation gate = Activation::sigmoid;
  const char* reduce = "conv_reduce";  ///< the layers' names
  const char* expand = "conv_expand";
};

struct SqueezeExciteTensors {
  TensorId reduce = kNoTensor, reduce_bias = kNoTensor;
  TensorId expand = kNoTensor, expand_bias = kNoTensor;
};

/// A BatchNorm's parameters and buffers [C].
struct BatchNormTensors {
  TensorId gamma = kNoTensor;
  TensorId beta = kNoTensor;
  TensorId mean = kNoTensor;
  TensorId variance = kNoTensor;
};

/// One of several BatchNorms that are summed: of x, or of w * x where there is a w (a depthwise 1x1 convolution's).
struct BatchNormBranch {
  TensorId x = kNoTensor;
  BatchNormTensors norm;
  TensorId w = kNoTensor;
  bool negative = false;
};

class Builder {
 public:
  explicit Builder(const ModelConfig& config) : config_(config) {}

  const ModelConfig& config() const { return config_; }
  const Shape& shape(TensorId id) const { return model_.graph.tensor(id).spec.shape; }
  std::int64_t channels(TensorId id) const { return shape(id).back(); }

  /// [batch, size, size, 3]
  TensorId images();
  /// A dense parameter of its own, such as a class token.
  TensorId parameter(const std::string& name, Shape shape);

  /// NAME.weight [out, in / groups, KH, KW] and NAME.bias. Depthwise where groups = in = out.
  TensorId conv2d(const std::string& name, TensorId x, int out_channels, Extent2d kernel,
                  const Conv2dOptions& options = {});
  /// NAME.weight, NAME.bias [C]; NAME.running_mean, NAME.running_var [C].
  TensorId batchnorm(const std::string& name, TensorId x, float eps = 1e-5F);
  /// Branches for batchnorm_sum: NAME.weight, … as batchnorm; and NAME.conv.weight, NAME.bn.weight, …
  BatchNormBranch batchnorm_branch(const std::string& name, TensorId x);
  BatchNormBranch conv_branch(const std::string& name, TensorId x, int out_channels, int kernel,
                              const Conv2dOptions& options);
  /// residual + layer_scale * sum of the branches; the layer scale has C elements. Both may be absent.
  TensorId batchnorm_sum(const std::string& name, const std::vector<BatchNormBranch>& branches,
                         TensorId residual = kNoTensor, TensorId layer_scale = kNoTensor);
  /// NAME.weight, NAME.bias [C], over the last dimension.
  TensorId layernorm(const std::string& name, TensorId x, float eps);
  /// NAME.weight, NAME.bias [C], over groups of channels and all of an image's pixels.
  TensorId groupnorm(const std::string& name, TensorId x, int groups, float eps = 1e-5F);
  /// NAME.weight [out, in], NAME.bias [out], over the last dimension.
  TensorId linear(const std::string& name, TensorId x, int out_features, bool bias = true);
  /// The last layer: dropout as configured, then a linear layer to the classes.
  TensorId classifier(const std::string& name, TensorId x);

  /// NAME.conv_reduce.weight [reduced, C, 1, 1] and .bias [reduced], NAME.conv_expand.weight [C, reduced, 1, 1] and .bias
  /// [C].
  TensorId squeeze_excite(const std::string& name, TensorId x, const SqueezeExciteOptions& options) {
    return squeeze_excite(name, x, squeeze_excite_tensors(name, channels(x), options), options);
  }
  /// The two halves of that, for models that list the parameters before those of x.
  SqueezeExciteTensors squeeze_excite_tensors(const std::string& name, std::int64_t channels,
                                              const SqueezeExciteOptions& options);
  TensorId squeeze_excite(const std::string& name, TensorId x, const SqueezeExciteTensors& tensors,
                          const SqueezeExciteOptions& options);

  TensorId activation(TensorId x, Activation kind);
  TensorId relu(TensorId x) { return activation(x, Activation::relu); }
  TensorId relu6(TensorId x) { return activation(x, Activation::relu6); }
  TensorId gelu(TensorId x) { return activation(x, Activation::gelu); }
  TensorId scale(TensorId x, TensorId gamma);  ///< gamma has C elements: a factor for each channel
  TensorId add(TensorId a, TensorId b);
  TensorId concat(const std::vector<TensorId>& parts);  ///< along the last dimension
  std::vector<TensorId> split(TensorId x, const std::vector<std::int64_t>& sizes);  ///< likewise
  TensorId dropout(TensorId x, float rate);    ///< x itself where the rate is 0, or in evaluation
  TensorId drop_path(TensorId x, float rate);  ///< likewise; stochastic depth, x [N, ...]
  TensorId max_pool2d(TensorId x, int kernel, int stride, int padding);
  TensorId avg_pool2d(TensorId x, int kernel, int stride, int padding = 0, bool count_include_pad = true);
  /// x + gamma * (pool(x) - x), the pool over what lies inside the image; without a residual, the second term alone.
  TensorId pool_mixer(TensorId x, int kernel, TensorId gamma, bool residual = true);
  TensorId global_avg_pool(TensorId x);  ///< [N, H, W, C] -> [N, C]
  TensorId repeat_interleave(TensorId x, int times);  ///< each channel so often in a row; one node for all who ask
  TensorId resize(TensorId x, ResizeMode mode, std::int64_t height, std::int64_t width);
  TensorId gate(TensorId x, TensorId gate);  ///< x * gate; of a smaller gate, its nearest pixel
  TensorId reshape(TensorId x, Shape shape);
  TensorId transpose(TensorId x);  ///< [N, L, C] -> [N, C, L]
  TensorId add_bias(TensorId x, TensorId bias);  ///< bias is [C], or [1, L, C] against [N, L, C]
  TensorId prepend_token(TensorId x, TensorId token);
  TensorId select_token(TensorId x, int token);
  TensorId attention(TensorId qkv, int heads);  ///< [N, L, 3 C], thirds q, k, v -> [N, L, C]
  /// With a bias from relative_position_bias, and in windows, where the attributes say so (attention.h).
  TensorId attention(TensorId qkv, const AttentionAttributes& attributes, TensorId bias);
  TensorId relative_position_bias(TensorId table, const RelativePositionAttributes& attributes);
  TensorId gather_tokens(std::vector<TensorId> sources, TokenLists lists);  ///< one or two [N, L, C] -> [N, L', C]
  TensorId constant(const std::string& name, Shape shape, std::vector<float> values);

  /// Parameters and buffers whose names begin with `prefix` come after all that there are: for layers that state_dict
  /// lists later than they run.
  void move_parameters_to_end(std::string_view prefix);

  /// Each scale [N, ..., 3 C], heads of [q, k, v][head_dim] -> [N, ..., scales * C]
  TensorId linear_attention(std::vector<TensorId> scales, int head_dim, float eps);

  /// [N, H, W, 1 + 2 C]: a query, keys, values -> [N, H, W, C], among the same places of all patches
  TensorId separable_attention(TensorId qkv, int patch_size);

  /// [N, ..., 3 C], thirds q, k, v; a temperature [heads, 1, 1] -> [N, ..., C], among a head's channels
  TensorId cross_covariance_attention(TensorId qkv, TensorId temperature);

  /// The model, once its logits are known.
  Model finish(TensorId logits);

 private:
  TensorId persistent(const std::string& name, TensorSpec spec, Role role);
  BatchNormTensors batchnorm_tensors(const std::string& name, std::int64_t channels);
  TensorId flat(TensorId gamma);  ///< [C], whatever gamma's shape
  DropAttributes next_drop(float rate);
  bool batch_statistics() const { return config_.training && !config_.frozen_batchnorm; }  ///< BatchNorm's
  TensorId node(OpPtr op, const std::string& name, std::vector<TensorId> inputs);

  ModelConfig config_;
  Model model_;
  std::vector<TensorId> order_;  ///< of the parameters and buffers
  std::map<std::pair<TensorId, int>, TensorId> repeated_;
  std::uint32_t drops_ = 0;  ///< layers that drop at random, so far
};

}  // namespace bramble::graph
