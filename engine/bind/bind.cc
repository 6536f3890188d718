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
    {"attention", bind_attention},
    {"attention_bwd", bind_attention_bwd},
    {"conv2d", bind_conv2d},
    {"conv2d_bwd_data", bind_conv2d_bwd_data},
    {"conv2d_bwd_weight", bind_conv2d_bwd_weight},
    {"depthwise_conv2d", bind_depthwise_conv2d},
    {"depthwise_conv2d_bwd_data", bind_depthwise_conv2d_bwd_data},
    {"depthwise_conv2d_bwd_weight", bind_depthwise_conv2d_bwd_weight},
    {"linear", bind_linear},
    {"linear_bwd_data", bind_linear_bwd_data},
    {"linear_bwd_weight", bind_linear_bwd_weight},
};

}  // namespace

BindFunction find_bind(std::string_view op_name) {
  const auto* found = std::find_if(std::begin(kBindings), std::end(kBindings),
                                   [&](const auto& binding) { return binding.first == op_name; });
  if (found == std::end(kBindings)) throw std::logic_error("no kernel is bound to the op '" + std::string(op_name) + "'");
  return found->second;
}

}  // namespace bramble::engine
