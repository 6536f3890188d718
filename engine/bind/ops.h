// The bind functions, one for each op name; engine/bind/<op>.cc defines them, bind.cc lists them.
#pragma once

#include "engine/bind/bind.h"

namespace bramble::engine {

Bound bind_attention(const BindContext& context);
Bound bind_attention_bwd(const BindContext& context);
Bound bind_conv2d(const BindContext& context);
Bound bind_conv2d_bwd_data(const BindContext& context);
Bound bind_conv2d_bwd_weight(const BindContext& context);
Bound bind_depthwise_conv2d(const BindContext& context);
Bound bind_depthwise_conv2d_bwd_data(const BindContext& context);
Bound bind_depthwise_conv2d_bwd_weight(const BindContext& context);
Bound bind_linear(const BindContext& context);
Bound bind_linear_bwd_data(const BindContext& context);
Bound bind_linear_bwd_weight(const BindContext& context);

}  // namespace bramble::engine
