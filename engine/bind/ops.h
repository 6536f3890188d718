// The bind functions, one for each op name; engine/bind/<op>.cc defines them, bind.cc lists them.
#pragma once

#include "engine/bind/bind.h"

namespace bramble::engine {

Bound bind_activation(const BindContext& context);
Bound bind_activation_bwd(const BindContext& context);
Bound bind_adamw(const BindContext& context);
Bound bind_add(const BindContext& context);
Bound bind_attention(const BindContext& context);
Bound bind_attention_bwd(const BindContext& context);
Bound bind_avg_pool2d(const BindContext& context);
Bound bind_avg_pool2d_bwd(const BindContext& context);
Bound bind_batchnorm(const BindContext& context);
Bound bind_batchnorm_bwd(const BindContext& context);
Bound bind_batchnorm_sum(const BindContext& context);
Bound bind_batchnorm_sum_bwd(const BindContext& context);
Bound bind_bias(const BindContext& context);
Bound bind_bias_bwd_bias(const BindContext& context);
Bound bind_blend(const BindContext& context);
Bound bind_clip_scale(const BindContext& context);
Bound bind_concat(const BindContext& context);
Bound bind_constant(const BindContext& context);
Bound bind_conv2d(const BindContext& context);
Bound bind_conv2d_bwd_data(const BindContext& context);
Bound bind_conv2d_bwd_weight(const BindContext& context);
Bound bind_cross_covariance_attention(const BindContext& context);
Bound bind_cross_covariance_attention_bwd(const BindContext& context);
Bound bind_depthwise_conv2d(const BindContext& context);
Bound bind_depthwise_conv2d_bwd(const BindContext& context);
Bound bind_drop_path(const BindContext& context);
Bound bind_dropout(const BindContext& context);
Bound bind_gate(const BindContext& context);
Bound bind_gate_bwd(const BindContext& context);
Bound bind_gather_tokens(const BindContext& context);
Bound bind_global_avg_pool(const BindContext& context);
Bound bind_global_avg_pool_bwd(const BindContext& context);
Bound bind_groupnorm(const BindContext& context);
Bound bind_groupnorm_bwd(const BindContext& context);
Bound bind_layernorm(const BindContext& context);
Bound bind_layernorm_bwd(const BindContext& context);
Bound bind_linear(const BindContext& context);
Bound bind_linear_attention(const BindContext& context);
Bound bind_linear_attention_bwd(const BindContext& context);
Bound bind_linear_bwd_data(const BindContext& context);
Bound bind_linear_bwd_weight(const BindContext& context);
Bound bind_linear_scale_bwd(const BindContext& context);
Bound bind_lion(const BindContext& context);
Bound bind_max_pool2d(const BindContext& context);
Bound bind_max_pool2d_bwd(const BindContext& context);
Bound bind_pointwise_conv2d_bwd(const BindContext& context);
Bound bind_pool_mixer(const BindContext& context);
Bound bind_pool_mixer_bwd(const BindContext& context);
Bound bind_prepend_token(const BindContext& context);
Bound bind_prepend_token_bwd(const BindContext& context);
Bound bind_relative_position_bias(const BindContext& context);
Bound bind_relative_position_bias_bwd(const BindContext& context);
Bound bind_repeat_interleave(const BindContext& context);
Bound bind_repeat_interleave_bwd(const BindContext& context);
Bound bind_resize(const BindContext& context);
Bound bind_resize_bwd(const BindContext& context);
Bound bind_scale(const BindContext& context);
Bound bind_scale_bwd(const BindContext& context);
Bound bind_select_token(const BindContext& context);
Bound bind_select_token_bwd(const BindContext& context);
Bound bind_separable_attention(const BindContext& context);
Bound bind_separable_attention_bwd(const BindContext& context);
Bound bind_sgd(const BindContext& context);
Bound bind_softmax_cross_entropy(const BindContext& context);
Bound bind_split(const BindContext& context);
Bound bind_squeeze_excite(const BindContext& context);
Bound bind_squeeze_excite_bwd(const BindContext& context);
Bound bind_transpose(const BindContext& context);

}  // namespace bramble::engine
