#pragma once

#include "graph/activation.h"
#include "kernels/activation/activation.h"

namespace bramble::engine {

/// The kernels' own name for what the graph calls `activation`.
constexpr kernels::Activation to_kernel(graph::Activation activation) {
  switch (activation) {
    case graph::Activation::none: return kernels::Activation::none;
    case graph::Activation::relu: return kernels::Activation::relu;
    case graph::Activation::relu6: return kernels::Activation::relu6;
    case graph::Activation::gelu: return kernels::Activation::gelu;
    case graph::Activation::hard_swish: return kernels::Activation::hard_swish;
    case graph::Activation::silu: return kernels::Activation::silu;
    case graph::Activation::sigmoid: return kernels::Activation::sigmoid;
    case graph::Activation::hard_sigmoid: return kernels::Activation::hard_sigmoid;
    case graph::Activation::gelu_tanh: return kernels::Activation::gelu_tanh;
    case graph::Activation::tanh: return kernels::Activation::tanh;
  }
  return kernels::Activation::none;
}

}  // namespace bramble::engine
