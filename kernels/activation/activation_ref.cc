#include <algorithm>
#include <cmath>

#include "kernels/activation/activation.h"

namespace bramble::kernels {
namespace {

double normal_distribution(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

double normal_density(double x) { return std::exp(-x * x / 2) / std::sqrt(2 * 3.14159265358979323846); }

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double hard_sigmoid(double x) { return std::clamp(x / 6 + 0.5, 0.0, 1.0); }

/// 2 u(x) of gelu_tanh, and its slope.
double doubled_u(double x) { return 2 * std::sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x); }

double doubled_u_slope(double x) { return 2 * std::sqrt(2 / 3.14159265358979323846) * (1 + 3 * 0.044715 * x * x); }

/// f' of what the backward is given.
double gradient_of_saved(Activation activation, double saved) {
  if (activation == Activation::sigmoid) return saved * (1 - saved);
  if (activation == Activation::tanh) return 1 - saved * saved;
  if (activation == Activation::hard_sigmoid) return saved > 0 && saved < 1 ? 1.0 / 6 : 0;
  return activation_gradient_ref(activation, saved);
}

}  // namespace

double activation_ref(Activation activation, double x) {
  switch (activation) {
    case Activation::none: return x;
    case Activation::relu: return std::max(x, 0.0);
    case Activation::relu6: return std::min(std::max(x, 0.0), 6.0);
    case Activation::gelu: return x * normal_distribution(x);
    case Activation::hard_swish: return x * hard_sigmoid(x);
    case Activation::silu: return x * sigmoid(x);
    case Activation::sigmoid: return sigmoid(x);
    case Activation::hard_sigmoid: return hard_sigmoid(x);
    case Activation::gelu_tanh: return x * sigmoid(doubled_u(x));
    case Activation::tanh: return std::tanh(x);
  }
  return x;
}

double activation_gradient_ref(Activation activation, double x) {
  switch (activation) {
    case Activation::none: return 1;
    case Activation::relu: return x > 0 ? 1 : 0;
    case Activation::relu6: return x > 0 && x < 6 ? 1 : 0;
    case Activation::gelu: return normal_distribution(x) + x * normal_density(x);
    case Activation::hard_swish: return x < -3 ? 0 : x > 3 ? 1 : x / 3 + 0.5;
    case Activation::silu: return sigmoid(x) * (1 + x * (1 - sigmoid(x)));
    case Activation::sigmoid: return sigmoid(x) * (1 - sigmoid(x));
    case Activation::hard_sigmoid: return x > -3 && x < 3 ? 1.0 / 6 : 0;
    case Activation::gelu_tanh: {
      const double s = sigmoid(doubled_u(x));
      return s + x * s * (1 - s) * doubled_u_slope(x);
    }
    case Activation::tanh: return 1 - std::tanh(x) * std::tanh(x);
  }
  return 1;
}

void activation_fwd_f32_ref(Activation activation, std::size_t begin, std::size_t end, const float* x, float* y) {
  for (std::size_t i = begin; i < end; ++i) y[i] = static_cast<float>(activation_ref(activation, x[i]));
}

void activation_bwd_f32_ref(Activation activation, std::size_t begin, std::size_t end, const float* dy,
                            const float* saved, float* dx) {
  for (std::size_t i = begin; i < end; ++i) {
    const double gradient = activation == Activation::none ? 1 : gradient_of_saved(activation, saved[i]);
    dx[i] = static_cast<float>(dy[i] * gradient);
  }
}

}  // namespace bramble::kernels
