// Pointwise activations and their gradients. Stateless; no allocation, no threads.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bramble::kernels {

/// relu = max(x, 0); relu6 = min(max(x, 0), 6); gelu = x * Phi(x) with Phi(x) = (1 + erf(x / sqrt 2)) / 2.
enum class Activation : std::uint8_t { none, relu, relu6, gelu };

/// for (i = begin; i < end; ++i) y[i] = f(x[i]);
/// gelu within 1e-6 absolute. y may be x. Any alignment.
void activation_fwd_f32(Activation activation, std::size_t begin, std::size_t end, const float* x, float* y);

/// for (i = begin; i < end; ++i) dx[i] = dy[i] * f'(saved[i]);
/// `saved` is the forward's y for relu (f' = y > 0) and relu6 (f' = 0 < y < 6: none at the bounds, as PyTorch's
/// hardtanh), and its x for gelu (f' = Phi(x) + x * phi(x)); not read for none. dx is written (=) and may be dy.
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
