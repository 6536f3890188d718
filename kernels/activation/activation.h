// Pointwise activations and their gradients. Stateless; no allocation, no threads.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bramble::kernels {

/// relu = max(x, 0); relu6 = min(max(x, 0), 6); gelu = x * Phi(x) with Phi(x) = (1 + erf(x / sqrt 2)) / 2;
/// sigmoid = 1 / (1 + e^-x); silu = x * sigmoid(x); hard_sigmoid = relu6(x + 3) / 6; hard_swish = x * hard_sigmoid(x);
/// gelu_tanh = x * (1 + tanh(u)) / 2 = x * sigmoid(2 u) with u = sqrt(2 / pi) * (x + 0.044715 x^3); tanh.
enum class Activation : std::uint8_t {
  none, relu, relu6, gelu, hard_swish, silu, sigmoid, hard_sigmoid, gelu_tanh, tanh
};

/// for (i = begin; i < end; ++i) y[i] = f(x[i]);
/// gelu, gelu_tanh and tanh within 1e-6 absolute, the others within 4e-7 relative. y may be x. Any alignment.
void activation_fwd_f32(Activation activation, std::size_t begin, std::size_t end, const float* x, float* y);

/// for (i = begin; i < end; ++i) dx[i] = dy[i] * f'(saved[i]);
/// `saved` is the forward's y for relu (f' = y > 0), relu6 (f' = 0 < y < 6: none at the bounds, as PyTorch's hardtanh),
/// sigmoid (f' = y * (1 - y)), tanh (f' = 1 - y^2) and hard_sigmoid (f' = 0 < y < 1 ? 1/6 : 0), its x for gelu
/// (f' = Phi(x) + x * phi(x)), gelu_tanh (f' = s + 2 x * s * (1 - s) * u'(x), s = sigmoid(2 u)),
/// silu (f' = s + x * s * (1 - s), s = sigmoid(x)) and hard_swish (f' = x / 3 + 1/2 for |x| <= 3, 0 below, 1 above);
/// not read for none. dx is written (=) and may be dy.
void activation_bwd_f32(Activation activation, std::size_t begin, std::size_t end, const float* dy, const float* saved,
                        float* dx);

/// One value in double: what every kernel with a fused activation is tested against.
double activation_ref(Activation activation, double x);
/// f'(x), of x itself for every activation.
double activation_gradient_ref(Activation activation, double x);

void activation_fwd_f32_ref(Activation activation, std::size_t begin, std::size_t end, const float* x, float* y);
void activation_bwd_f32_ref(Activation activation, std::size_t begin, std::size_t end, const float* dy,
                            const float* saved, float* dx);

}  // namespace bramble::kernels
