#include <algorithm>
#include <cmath>

#include "kernels/softmax_cross_entropy/softmax_cross_entropy.h"

namespace bramble::kernels {

void softmax_cross_entropy_f32_ref(const SoftmaxCrossEntropy& shape, std::size_t row_begin, std::size_t row_end,
                                   const float* logits, const Targets& targets, double* losses, float* dlogits) {
  const double smoothing = shape.smoothing;
  for (std::size_t r = row_begin; r < row_end; ++r) {
    const float* row = logits + r * shape.classes;
    const double largest = *std::max_element(row, row + shape.classes);
    double sum = 0;
    for (std::size_t k = 0; k < shape.classes; ++k) sum += std::exp(row[k] - largest);
    losses[r] = 0;
    for (std::size_t k = 0; k < shape.classes; ++k) {
      const double share = targets.others == nullptr ? 1 : static_cast<double>(targets.shares[r]);
      double hard = k == static_cast<std::size_t>(targets.labels[r]) ? share : 0;
      if (targets.others != nullptr && k == static_cast<std::size_t>(targets.others[r])) hard += 1 - share;
      const double target = (1 - smoothing) * hard + smoothing / static_cast<double>(shape.classes);
      const double log_probability = row[k] - largest - std::log(sum);
      losses[r] -= target * log_probability;
      const double gradient = (std::exp(log_probability) - target) / static_cast<double>(shape.rows);
      dlogits[r * shape.classes + k] = static_cast<float>(gradient);
    }
  }
}

}  // namespace bramble::kernels
