#include "graph/builder.h"

#include <algorithm>
#include <memory>
#include <numeric>

#include "graph/ops/activation.h"
#include "graph/ops/add.h"
#include "graph/ops/batchnorm.h"
#include "graph/ops/batchnorm_sum.h"
#include "graph/ops/bias.h"
#include "graph/ops/concat.h"
#include "graph/ops/constant.h"
#include "graph/ops/conv2d.h"
#include "graph/ops/cross_covariance_attention.h"
#include "graph/ops/depthwise_conv2d.h"
#include "graph/ops/gate.h"
#include "graph/ops/groupnorm.h"
#include "graph/ops/layernorm.h"
#include "graph/ops/linear.h"
#include "graph/ops/linear_attention.h"
#include "graph/ops/pool.h"
#include "graph/ops/pool_mixer.h"
#include "graph/ops/repeat_interleave.h"
#include "graph/ops/reshape.h"
#include "graph/ops/scale.h"
#include "graph/ops/separable_attention.h"
#include "graph/ops/squeeze_excite.h"
#include "graph/ops/token.h"
#include "graph/ops/transpose.h"

namespace bramble::graph {

TensorId Builder::images() {
  if (config_.batch < 1 || config_.size < 1 || config_.classes < 1)
    throw GraphError("batch, image size and number of classes must be at least 1");
  model_.images = model_.graph.add_tensor(
      {"images", {{config_.batch, config_.size, config_.size, 3}}, Role::input});
  return model_.images;
}

TensorId Builder::persistent(const std::string& name, TensorSpec spec, Role role) {
  if (model_.graph.find(name) != kNoTensor) throw GraphError("'" + name + "' is there twice");
  order_.push_back(model_.graph.add_tensor({name, std::move(spec), role}));
  return order_.back();
}

TensorId Builder::node(OpPtr op, const std::string& name, std::vector<TensorId> inputs) {
  return model_.graph.add_node(std::move(op), name, std::move(inputs))[0];
}

TensorId Builder::parameter(const std::string& name, Shape shape) {
  return persistent(name, {std::move(shape)}, Role::parameter);
}

namespace {

struct Padding {
  Extent2d both;
  int extra;
};

Padding padding_of(const Conv2dOptions& options, const std::string& name, const Shape& x, Extent2d kernel) {
  if (!options.same) return {options.padding, 0};
  if (x[1] != x[2] || kernel.height != kernel.width)
    throw GraphError(name + " (conv2d): \"same\" padding is for squares, not " + to_string(x));
  const std::int64_t in = x[1], out = (in + options.stride - 1) / options.stride;
  const std::int64_t reach = (out - 1) * options.stride + options.dilation * (kernel.height - 1) + 1;
  const int total = static_cast<int>(std::max<std::int64_t>(0, reach - in));
  return {total / 2, total % 2};
}

}  // namespace

TensorId Builder::conv2d(const std::string& name, TensorId x, int out_channels, Extent2d kernel,
                         const Conv2dOptions& options) {
  const int in = static_cast<int>(channels(x));
  const Padding padding = padding_of(options, name, shape(x), kernel);
  const bool depthwise = options.groups > 1 && options.groups == in && out_channels % in == 0;
  TensorSpec weight{{out_channels, in / options.groups, kernel.height, kernel.width}, DType::f32,
                    depthwise ? Layout::depthwise_weight : Layout::gemm_weight, depthwise ? 1 : options.groups};
  if (depthwise && in != out_channels) x = repeat_interleave(x, out_channels / in);
  std::vector<TensorId> inputs = {x, persistent(name + ".weight", std::move(weight), Role::parameter)};
  if (options.bias) inputs.push_back(parameter(name + ".bias", {out_channels}));
  if (depthwise)
    return node(std::make_shared<DepthwiseConv2d>(DepthwiseConv2dAttributes{
                    .kernel_h = kernel.height, .kernel_w = kernel.width, .stride = options.stride,
                    .padding = padding.both, .dilation = options.dilation, .extra_padding = padding.extra}),
                name, std::move(inputs));
  if (padding.both.height != padding.both.width)
    throw GraphError(name + " (conv2d): only a depthwise convolution may be padded differently on its two axes");
  return node(std::make_shared<Conv2d>(Conv2dAttributes{
                  .out_channels = out_channels, .kernel_h = kernel.height, .kernel_w = kernel.width,
                  .stride = options.stride, .padding = padding.both.height, .dilation = options.dilation,
                  .groups = options.groups, .extra_padding = padding.extra}),
              name, std::move(inputs));
}

BatchNormTensors Builder::batchnorm_tensors(const std::string& name, std::int64_t channels) {
  const Shape per_channel = {channels};
  const TensorId gamma = parameter(name + ".weight", per_channel);
  const TensorId beta = parameter(name + ".bias", per_channel);
  const TensorId mean = persistent(name + ".running_mean", {per_channel}, Role::buffer);
  return {gamma, beta, mean, persistent(name + ".running_var", {per_channel}, Role::buffer)};
}

TensorId Builder::batchnorm(const std::string& name, TensorId x, float eps) {
  const BatchNormTensors norm = batchnorm_tensors(name, channels(x));
  return node(std::make_shared<BatchNorm>(BatchNormAttributes{.eps = eps, .training = batch_statistics()}), name,
              {x, norm.gamma, norm.beta, norm.mean, norm.variance});
}

BatchNormBranch Builder::batchnorm_branch(const std::string& name, TensorId x) {
  return {x, batchnorm_tensors(name, channels(x))};
}

BatchNormBranch Builder::conv_branch(const std::string& name, TensorId x, int out_channels, int kernel,
                                     const Conv2dOptions& options) {
  const int in = static_cast<int>(channels(x));
  const bool factor = kernel == 1 && options.stride == 1 && options.groups == in && out_channels % in == 0;
  if (!factor || !batch_statistics())
    return batchnorm_branch(name + ".bn", conv2d(name + ".conv", x, out_channels, kernel, options));
  if (in != out_channels) x = repeat_interleave(x, out_channels / in);
  const TensorSpec weight{{out_channels, 1, 1, 1}, DType::f32, Layout::depthwise_weight};
  const TensorId w = persistent(name + ".conv.weight", weight, Role::parameter);
  return {x, batchnorm_tensors(name + ".bn", out_channels), w};
}

TensorId Builder::batchnorm_sum(const std::string& name, const std::vector<BatchNormBranch>& branches,
                                TensorId residual, TensorId layer_scale) {
  BatchNormSumAttributes attributes{.branches = {}, .training = batch_statistics()};
  std::vector<TensorId> inputs = {residual, layer_scale == kNoTensor ? kNoTensor : flat(layer_scale)};
  for (const BatchNormBranch& branch : branches) {
    const auto first =
        std::find_if(branches.begin(), branches.end(), [&](const auto& other) { return other.x == branch.x; });
    attributes.branches.push_back({static_cast<int>(first - branches.begin()), branch.negative});
    const BatchNormTensors& norm = branch.norm;
    inputs.insert(inputs.end(), {branch.x, norm.gamma, norm.beta, norm.mean, norm.variance, branch.w, kNoTensor});
  }
  return node(std::make_shared<BatchNormSum>(std::move(attributes)), name, std::move(inputs));
}

TensorId Builder::flat(TensorId gamma) {
  const Shape& given = shape(gamma);
  return given.size() == 1 ? gamma : reshape(gamma, {element_count(given)});
}

TensorId Builder::layernorm(const std::string& name, TensorId x, float eps) {
  const TensorId gamma = parameter(name + ".weight", {channels(x)});
  const TensorId beta = parameter(name + ".bias", {channels(x)});
  return node(std::make_shared<LayerNorm>(LayerNormAttributes{.eps = eps}), name, {x, gamma, beta});
}

TensorId Builder::groupnorm(const std::string& name, TensorId x, int groups, float eps) {
  const TensorId gamma = parameter(name + ".weight", {channels(x)});
  const TensorId beta = parameter(name + ".bias", {channels(x)});
  return node(std::make_shared<GroupNorm>(GroupNormAttributes{.groups = groups, .eps = eps}), name, {x, gamma, beta});
}

TensorId Builder::linear(const std::string& name, TensorId x, int out_features, bool bias) {
  TensorSpec weight{{out_features, channels(x)}, DType::f32, Layout::gemm_weight};
  std::vector<TensorId> inputs = {x, persistent(name + ".weight", std::move(weight), Role::parameter)};
  if (bias) inputs.push_back(parameter(name + ".bias", {out_features}));
  return node(std::make_shared<Linear>(LinearAttributes{.out_features = out_features}), name, std::move(inputs));
}

TensorId Builder::classifier(const std::string& name, TensorId x) {
  return linear(name, dropout(x, config_.drop_rate), static_cast<int>(config_.classes));
}

SqueezeExciteTensors Builder::squeeze_excite_tensors(const std::string& name, std::int64_t channels,
                                                     const SqueezeExciteOptions& options) {
  const auto layer = [&](const std::string& layer_name, std::int64_t in, std::int64_t out) {
    TensorSpec weight{{out, in, 1, 1}, DType::f32, Layout::gemm_weight};
    const TensorId id = persistent(layer_name + ".weight", std::move(weight), Role::parameter);
    return std::pair{id, parameter(layer_name + ".bias", {out})};
  };
  const auto [reduce, reduce_bias] = layer(name + "." + options.reduce, channels, options.reduced);
  const auto [expand, expand_bias] = layer(name + "." + options.expand, options.reduced, channels);
  return {reduce, reduce_bias, expand, expand_bias};
}

TensorId Builder::squeeze_excite(const std::string& name, TensorId x, const SqueezeExciteTensors& tensors,
                                 const SqueezeExciteOptions& options) {
  return node(std::make_shared<SqueezeExcite>(SqueezeExciteAttributes{
                  .reduced = options.reduced, .activation = options.activation, .gate = options.gate}),
              name, {x, tensors.reduce, tensors.reduce_bias, tensors.expand, tensors.expand_bias});
}

TensorId Builder::activation(TensorId x, Activation kind) {
  return node(std::make_shared<ActivationOp>(kind), model_.graph.tensor(x).name + ".act", {x});
}

TensorId Builder::scale(TensorId x, TensorId gamma) {
  return node(std::make_shared<Scale>(), model_.graph.tensor(gamma).name, {x, flat(gamma)});
}

TensorId Builder::add(TensorId a, TensorId b) {
  return node(std::make_shared<Add>(), model_.graph.tensor(a).name + ".add", {a, b});
}

TensorId Builder::concat(const std::vector<TensorId>& parts) {
  std::vector<std::int64_t> sizes;
  for (const TensorId id : parts) sizes.push_back(channels(id));
  return node(std::make_shared<Concat>(std::move(sizes)), model_.graph.tensor(parts.at(0)).name + ".concat", parts);
}

std::vector<TensorId> Builder::split(TensorId x, const std::vector<std::int64_t>& sizes) {
  return model_.graph.add_node(std::make_shared<Split>(sizes), model_.graph.tensor(x).name + ".split", {x});
}

DropAttributes Builder::next_drop(float rate) {
  if (model_.step == kNoTensor) model_.step = model_.graph.add_tensor({"step", {{1}, DType::i32}, Role::input});
  return {.rate = rate, .seed = config_.seed, .layer = drops_++};
}

TensorId Builder::dropout(TensorId x, float rate) {
  if (rate == 0 || !config_.training) return x;
  const DropAttributes attributes = next_drop(rate);
  return node(std::make_shared<Dropout>(attributes), model_.graph.tensor(x).name + ".drop", {x, model_.step});
}

TensorId Builder::drop_path(TensorId x, float rate) {
  if (rate == 0 || !config_.training) return x;
  const DropAttributes attributes = next_drop(rate);
  return node(std::make_shared<DropPath>(attributes), model_.graph.tensor(x).name + ".drop_path", {x, model_.step});
}

TensorId Builder::max_pool2d(TensorId x, int kernel, int stride, int padding) {
  return node(std::make_shared<MaxPool2d>(Pool2dAttributes{.kernel = kernel, .stride = stride, .padding = padding}),
              "maxpool", {x});
}

TensorId Builder::avg_pool2d(TensorId x, int kernel, int stride, int padding, bool count_include_pad) {
  return node(std::make_shared<AvgPool2d>(Pool2dAttributes{
                  .kernel = kernel, .stride = stride, .padding = padding, .count_include_pad = count_include_pad}),
              model_.graph.tensor(x).name + ".avg_pool", {x});
}

TensorId Builder::pool_mixer(TensorId x, int kernel, TensorId gamma, bool residual) {
  return node(std::make_shared<PoolMixer>(PoolMixerAttributes{kernel, residual}), model_.graph.tensor(gamma).name,
              {x, flat(gamma)});
}

TensorId Builder::global_avg_pool(TensorId x) { return node(std::make_shared<GlobalAvgPool>(), "global_pool", {x}); }

TensorId Builder::repeat_interleave(TensorId x, int times) {
  const auto [entry, is_new] = repeated_.try_emplace({x, times}, kNoTensor);
  if (is_new)
    entry->second = node(std::make_shared<RepeatInterleave>(times), model_.graph.tensor(x).name + ".repeated", {x});
  return entry->second;
}

TensorId Builder::resize(TensorId x, ResizeMode mode, std::int64_t height, std::int64_t width) {
  return node(std::make_shared<Resize>(mode, height, width), model_.graph.tensor(x).name + ".resize", {x});
}

TensorId Builder::gate(TensorId x, TensorId gate) {
  return node(std::make_shared<Gate>(), model_.graph.tensor(x).name + ".gate", {x, gate});
}

TensorId Builder::reshape(TensorId x, Shape shape) {
  return node(std::make_shared<Reshape>(std::move(shape)), model_.graph.tensor(x).name + ".reshape", {x});
}

TensorId Builder::transpose(TensorId x) {
  return node(std::make_shared<Transpose>(), model_.graph.tensor(x).name + ".transpose", {x});
}

TensorId Builder::add_bias(TensorId x, TensorId bias) {
  return node(std::make_shared<Bias>(), model_.graph.tensor(bias).name, {x, bias});
}

TensorId Builder::prepend_token(TensorId x, TensorId token) {
  return node(std::make_shared<PrependToken>(), model_.graph.tensor(token).name, {x, token});
}

TensorId Builder::select_token(TensorId x, int token) {
  return node(std::make_shared<SelectToken>(SelectTokenAttributes{.index = token}), "token_pool", {x});
}

TensorId Builder::attention(TensorId qkv, int heads) {
  return node(std::make_shared<Attention>(AttentionAttributes{.heads = heads}),
              model_.graph.tensor(qkv).name + ".attention", {qkv});
}

TensorId Builder::linear_attention(std::vector<TensorId> scales, int head_dim, float eps) {
  const std::string name = model_.graph.tensor(scales[0]).name + ".attention";
  return node(std::make_shared<LinearAttention>(LinearAttentionAttributes{.head_dim = head_dim, .eps = eps}), name,
              std::move(scales));
}

TensorId Builder::separable_attention(TensorId qkv, int patch_size) {
  return node(std::make_shared<SeparableAttention>(SeparableAttentionAttributes{.patch_size = patch_size}),
              model_.graph.tensor(qkv).name + ".attention", {qkv});
}

TensorId Builder::cross_covariance_attention(TensorId qkv, TensorId temperature) {
  const CrossCovarianceAttentionAttributes attributes{.heads = static_cast<int>(shape(temperature)[0])};
  return node(std::make_shared<CrossCovarianceAttention>(attributes), model_.graph.tensor(qkv).name + ".attention",
              {qkv, temperature});
}

TensorId Builder::attention(TensorId qkv, const AttentionAttributes& attributes, TensorId bias) {
  return node(std::make_shared<Attention>(attributes), model_.graph.tensor(qkv).name + ".attention", {qkv, bias});
}

TensorId Builder::relative_position_bias(TensorId table, const RelativePositionAttributes& attributes) {
  return node(std::make_shared<RelativePositionBias>(attributes), model_.graph.tensor(table).name, {table});
}

TensorId Builder::gather_tokens(std::vector<TensorId> sources, TokenLists lists) {
  const std::string name = model_.graph.tensor(sources.at(0)).name + ".gather";
  return node(std::make_shared<GatherTokens>(std::move(lists)), name, std::move(sources));
}

TensorId Builder::constant(const std::string& name, Shape shape, std::vector<float> values) {
  return node(std::make_shared<Constant>(std::move(shape), std::move(values)), name, {});
}

void Builder::move_parameters_to_end(std::string_view prefix) {
  std::stable_partition(order_.begin(), order_.end(),
                        [&](TensorId id) { return !model_.graph.tensor(id).name.starts_with(prefix); });
}

Model Builder::finish(TensorId logits) {
  model_.logits = logits;
  model_.graph.reorder(order_);
  return std::move(model_);
}

}  // namespace bramble::graph
