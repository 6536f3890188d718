#pragma once

#include <cstdint>

namespace bramble::graph {

/// relu6 = min(max(x, 0), 6); gelu = x * Phi(x), with the exact erf; sigmoid = 1 / (1 + e^-x), silu = x * sigmoid(x);
/// hard_sigmoid = relu6(x + 3) / 6, hard_swish = x * hard_sigmoid(x); gelu_tanh is the approximation that TensorFlow's
/// models have, x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2.
enum class Activation : std::uint8_t {
  none, relu, relu6, gelu, hard_swish, silu, sigmoid, hard_sigmoid, gelu_tanh, tanh
};

/// Whether the backward computes f' of f's input; of its output otherwise.
constexpr bool derivative_reads_input(Activation kind) {
  return kind == Activation::gelu || kind == Activation::hard_swish || kind == Activation::silu ||
         kind == Activation::gelu_tanh;
}

/// Whether f does no more than cut off what is too small or too large, which any epilogue can.
constexpr bool is_clamp(Activation kind) {
  return kind == Activation::none || kind == Activation::relu || kind == Activation::relu6;
}

}  // namespace bramble::graph
