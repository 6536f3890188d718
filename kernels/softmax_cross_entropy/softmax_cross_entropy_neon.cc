#include "kernels/softmax_cross_entropy/softmax_cross_entropy.h"

#include <cassert>
#include <cmath>

#include "kernels/activation/activation_neon.h"
#include "kernels/simd/partial.h"

namespace bramble::kernels {
namespace {

struct RowSums {
  double exponentials = 0;  // of logits - largest
  double distances = 0;     // logits - largest
};

float largest_of(std::size_t classes, const float* row) {
  // The tail's idle lanes would be zero: it goes one by one.
  float32x4_t largest = vdupq_n_f32(row[0]);
  std::size_t k = 0;
  for (; k + 4 <= classes; k += 4) largest = vmaxq_f32(largest, vld1q_f32(row + k));
  float result = vmaxvq_f32(largest);
  for (; k < classes; ++k) result = row[k] > result ? row[k] : result;
  return result;
}

RowSums sum_row(std::size_t classes, const float* row, float largest) {
  RowSums sums;
  const float32x4_t shift = vdupq_n_f32(largest);
  float64x2_t exponentials = vdupq_n_f64(0);
  float64x2_t distances = vdupq_n_f64(0);
  const auto widened = [](float32x4_t v) {
    return vaddq_f64(vcvt_f64_f32(vget_low_f32(v)), vcvt_f64_f32(vget_high_f32(v)));
  };
  std::size_t k = 0;
  for (; k + 4 <= classes; k += 4) {
    const float32x4_t distance = vsubq_f32(vld1q_f32(row + k), shift);
    exponentials = vaddq_f64(exponentials, widened(exp_f32x4(distance)));
    distances = vaddq_f64(distances, widened(distance));
  }
  sums.exponentials = vaddvq_f64(exponentials);
  sums.distances = vaddvq_f64(distances);
  for (; k < classes; ++k) {
    sums.exponentials += std::exp(static_cast<double>(row[k] - largest));
    sums.distances += row[k] - largest;
  }
  return sums;
}

/// A class and how much of the target it has beside what smoothing spreads.
struct HardTarget {
  std::size_t index;
  double share;
};

/// A row's one or two; the same class twice is one.
struct HardTargets {
  HardTarget label, other;

  HardTargets(const Targets& targets, std::size_t row, double share_of_both)
      : label{static_cast<std::size_t>(targets.labels[row]), share_of_both}, other{label.index, 0} {
    if (targets.others == nullptr) return;
    other = {static_cast<std::size_t>(targets.others[row]), share_of_both * (1 - static_cast<double>(targets.shares[row]))};
    label.share = share_of_both - other.share;
    if (other.index == label.index) *this = HardTargets(label.index, share_of_both);
  }

 private:
  HardTargets(std::size_t index, double share) : label{index, share}, other{index, 0} {}
};

}  // namespace

void softmax_cross_entropy_f32(const SoftmaxCrossEntropy& shape, std::size_t row_begin, std::size_t row_end,
                               const float* logits, const Targets& targets, double* losses, float* dlogits) {
  const double smoothing = shape.smoothing;
  const double spread = smoothing / static_cast<double>(shape.classes);
  const double rows = static_cast<double>(shape.rows);
  for (std::size_t r = row_begin; r < row_end; ++r) {
    const HardTargets hard(targets, r, 1 - smoothing);
    assert(hard.label.index < shape.classes && hard.other.index < shape.classes);
    const float* row = logits + r * shape.classes;
    const float largest = largest_of(shape.classes, row);
    const double labelled = static_cast<double>(row[hard.label.index] - largest);
    const double other = static_cast<double>(row[hard.other.index] - largest);
    const RowSums sums = sum_row(shape.classes, row, largest);
    losses[r] = std::log(sums.exponentials) - hard.label.share * labelled - spread * sums.distances;
    if (hard.other.share > 0) losses[r] -= hard.other.share * other;
    if (dlogits == nullptr) continue;
    float* gradient = dlogits + r * shape.classes;
    const float32x4_t share = vdupq_n_f32(static_cast<float>(1 / (sums.exponentials * rows)));
    const float32x4_t even = vdupq_n_f32(static_cast<float>(spread / rows));
    const float32x4_t shift = vdupq_n_f32(largest);
    for_each_vector(0, shape.classes, [&](auto lanes, std::size_t k) {
      const float32x4_t exponential = exp_f32x4(vsubq_f32(lanes.load(row + k), shift));
      lanes.store(gradient + k, vsubq_f32(vmulq_f32(exponential, share), even));
    });
    // The labels' own gradients nearly cancel once they are learnt: in double.
    const auto set = [&](std::size_t k, double distance, double target) {
      gradient[k] = static_cast<float>((std::exp(distance) / sums.exponentials - target - spread) / rows);
    };
    if (hard.other.index != hard.label.index) set(hard.other.index, other, hard.other.share);
    set(hard.label.index, labelled, hard.label.share);
  }
}

}  // namespace bramble::kernels
