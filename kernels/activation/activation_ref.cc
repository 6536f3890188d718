#include <algorithm>
#include <cmath>

#include "kernels/activation/activation.h"

namespace bramble::kernels {
namespace {

double normal_distribution(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

double normal_density(double x) { return std::exp(-x * x / 2) / std::sqrt(2 * 3.14159265358979323846); }

}  // namespace

double activation_ref(Activation activation, double x) {
  switch (activation) {
    case Activation::none: return x;
    case Activation::relu: return std::max(x, 0.0);
    case Activation::relu6: return std::min(std::max(x, 0.0), 6.0);
    case Activation::gelu: return x * normal_distribution(x);
  }
  return x;
}

double activation_gradient_ref(Activation activation, double x) {
  switch (activation) {
    case Activation::none: return 1;
    case Activation::relu: return x > 0 ? 1 : 0;
    case Activation::relu6: return x > 0 && x < 6 ? 1 : 0;
    case Activation::gelu: return normal_distribution(x) + x * normal_density(x);
  }
  return 1;
}

void activation_fwd_f32_ref(Activation activation, std::size_t begin, std::size_t end, const float* x, float* y) {
  for (std::size_t i = begin; i < end; ++i) y[i] = static_cast<float>(activation_ref(activation, x[i]));
}

void activation_bwd_f32_ref(Activation activation, std::size_t begin, std::size_t end, const float* dy,
                            const float* saved, float* dx) {
  for (std::size_t i = begin; i < end; ++i) {
    const double gradient = activation == Activation::none ? 1 : activation_gradient_ref(activation, saved[i]);
    dx[i] = static_cast<float>(dy[i] * gradient);
  }
}

}  // namespace bramble::kernels
