#include "engine/bind/bind.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "engine/bind/ops.h"

namespace bramble::engine {
namespace {

// One line an op.
constexpr std::pair<std::string_view, BindFunction> kBindings[] = {
    {"activation", bind_activation},
    {"activation_bwd", bind_activation_bwd},
    {"adamw", bind_adamw},
    {"add", bind_add},
    {"attention", bind_attention},
    {"attention_bwd", bind_attention_bwd},
    {"avg_pool2d", bind_avg_pool2d},
    {"avg_pool2d_bwd", bind_avg_pool2d_bwd},
    {"batchnorm", bind_batchnorm},
    {"batchnorm_bwd", bind_batchnorm_bwd},
    {"batchnorm_sum", bind_batchnorm_sum},
    {"batchnorm_sum_bwd", bind_batchnorm_sum_bwd},
    {"bias", bind_bias},
    {"bias_bwd_bias", bind_bias_bwd_bias},
    {"blend", bind_blend},
    {"clip_scale", bind_clip_scale},
    {"concat", bind_concat},
    {"constant", bind_constant},
    {"conv2d", bind_conv2d},
    {"conv2d_bwd_data", bind_conv2d_bwd_data},
    {"conv2d_bwd_weight", bind_conv2d_bwd_weight},
    {"cross_covariance_attention", bind_cross_covariance_attention},
    {"cross_covariance_attention_bwd", bind_cross_covariance_attention_bwd},
    {"depthwise_conv2d", bind_depthwise_conv2d},
    {"depthwise_conv2d_bwd", bind_depthwise_conv2d_bwd},
    {"drop_path", bind_drop_path},
    {"dropout", bind_dropout},
    {"gate", bind_gate},
    {"gate_bwd", bind_gate_bwd},
    {"gather_tokens", bind_gather_tokens},
    {"global_avg_pool", bind_global_avg_pool},
    {"global_avg_pool_bwd", bind_global_avg_pool_bwd},
    {"groupnorm", bind_groupnorm},
    {"groupnorm_bwd", bind_groupnorm_bwd},
    {"layernorm", bind_layernorm},
    {"layernorm_bwd", bind_layernorm_bwd},
    {"linear", bind_linear},
    {"linear_attention", bind_linear_attention},
    {"linear_attention_bwd", bind_linear_attention_bwd},
    {"linear_bwd_data", bind_linear_bwd_data},
    {"linear_bwd_weight", bind_linear_bwd_weight},
    {"linear_scale_bwd", bind_linear_scale_bwd},
    {"lion", bind_lion},
    {"max_pool2d", bind_max_pool2d},
    {"max_pool2d_bwd", bind_max_pool2d_bwd},
    {"pointwise_conv2d_bwd", bind_pointwise_conv2d_bwd},
    {"pool_mixer", bind_pool_mixer},
    {"pool_mixer_bwd", bind_pool_mixer_bwd},
    {"prepend_token", bind_prepend_token},
    {"prepend_token_bwd", bind_prepend_token_bwd},
    {"relative_position_bias", bind_relative_position_bias},
    {"relative_position_bias_bwd", bind_relative_position_bias_bwd},
    {"repeat_interleave", bind_repeat_interleave},
    {"repeat_interleave_bwd", bind_repeat_interleave_bwd},
    {"resize", bind_resize},
    {"resize_bwd", bind_resize_bwd},
    {"scale", bind_scale},
    {"scale_bwd", bind_scale_bwd},
    {"select_token", bind_select_token},
    {"select_token_bwd", bind_select_token_bwd},
    {"separable_attention", bind_separable_attention},
    {"separable_attention_bwd", bind_separable_attention_bwd},
    {"sgd", bind_sgd},
    {"softmax_cross_entropy", bind_softmax_cross_entropy},
    {"split", bind_split},
    {"squeeze_excite", bind_squeeze_excite},
    {"squeeze_excite_bwd", bind_squeeze_excite_bwd},
    {"transpose", bind_transpose},
};

}  // namespace

BindFunction find_bind(std::string_view op_name) {
  const auto* found = std::find_if(std::begin(kBindings), std::end(kBindings),
                                   [&](const auto& binding) { return binding.first == op_name; });
  if (found == std::end(kBindings))
    throw std::logic_error("no kernel is bound to the op '" + std::string(op_name) + "'");
  return found->second;
}

}  // namespace bramble::engine
