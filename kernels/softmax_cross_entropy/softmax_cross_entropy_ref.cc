#include <algorithm>
#include <cmath>

#include "kernels/softmax_cross_entropy/softmax_cross_entropy.h"

namespace bramble::kernels {

void softmax_cross_entropy_f32_ref(const SoftmaxCrossEntropy& shape, std::size_t row_begin, std::size_t row_end,
                                   const float* logits, const std::int32_t* labels, double* losses, float* dlogits) {
  const double smoothing = shape.smoothing;
  for (std::size_t r = row_begin; r < row_end; ++r) {
    const float* row = logits + r * shape.classes;
    const double largest = *std::max_element(row, row + shape.classes);
    double sum = 0;
    for (std::size_t k = 0; k < shape.classes; ++k) sum += std::exp(row[k] - largest);
    losses[r] = 0;
    for (std::size_t k = 0; k < shape.classes; ++k) {
      const bool labelled = k == static_cast<std::size_t>(labels[r]);
      const double target = (labelled ? 1 - smoothing : 0) + smoothing / static_cast<double>(shape.classes);
      const double log_probability = row[k] - largest - std::log(sum);
      losses[r] -= target * log_probability;
      const double gradient = (std::exp(log_probability) - target) / static_cast<double>(shape.rows);
      dlogits[r * shape.classes + k] = static_cast<float>(gradient);
    }
  }
}

}  // namespace bramble::kernels
