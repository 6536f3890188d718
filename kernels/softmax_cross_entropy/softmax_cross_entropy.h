// Cross entropy between softmax(logits) and smoothed, perhaps mixed labels, and its gradient, in one go.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bramble::kernels {

/// What each row should be:
///   target[k] = (1 - smoothing) * (share * (k == label) + (1 - share) * (k == other)) + smoothing / classes
/// Without other labels (nullptr) every share is 1. 0 <= labels, others < classes is asserted.
struct Targets {
  const std::int32_t* labels;           ///< [rows]
  const std::int32_t* others = nullptr; ///< [rows]
  const float* shares = nullptr;        ///< [rows], in [0, 1]; with others
};

struct SoftmaxCrossEntropy {
  std::size_t rows;  ///< N, of the whole batch: gradients are of the mean loss
  std::size_t classes;
  float smoothing;
};

/// for (r = row_begin; r < row_end; ++r) {
///   losses[r] = log(sum_k exp(logits[r][k])) - sum_k target[k] * logits[r][k];
///   dlogits[r][k] (=) (softmax(logits[r])[k] - target[k]) / rows;
/// }
/// Dense rows, shifted by their maximum; sums in double. dlogits may be nullptr, or logits. No allocation, threads or state.
void softmax_cross_entropy_f32(const SoftmaxCrossEntropy& shape, std::size_t row_begin, std::size_t row_end,
                               const float* logits, const Targets& targets, double* losses, float* dlogits);

void softmax_cross_entropy_f32_ref(const SoftmaxCrossEntropy& shape, std::size_t row_begin, std::size_t row_end,
                                   const float* logits, const Targets& targets, double* losses, float* dlogits);

}  // namespace bramble::kernels
