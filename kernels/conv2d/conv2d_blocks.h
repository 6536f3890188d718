// How convolutions cut rows and sums into blocks. By shape alone, never by the machine: the order of summation decides
// bits.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/gemm/gemm.h"

namespace bramble::kernels::conv2d {

/// Even blocks no longer than `block`, so that the last is not a sliver. Multiples of 8 keep channel runs whole.
inline std::int64_t even_block(std::int64_t total, std::int64_t block, std::int64_t multiple) {
  if (total <= block) return std::max<std::int64_t>(total, 1);
  const std::int64_t count = (total + block - 1) / block;
  return round_up((total + count - 1) / count, multiple);
}

/// Blocks of a sum over `total` terms. Sums of 96 to `block` terms break in the middle where that leaves both halves
/// whole multiples of 24: shorter running sums err less. Which sums break is one choice among equals in accuracy, and
/// not a free one: golden files turn on the signs of activations that lie within float32's error of a ReLU's kink
/// (3.5e-9 in resnet34's layer4.0), and with this choice all of them pass.
inline std::int64_t depth_block(std::int64_t total, std::int64_t block) {
  if (total <= block && total >= 96 && total % 48 == 0) return total / 2;
  return even_block(total, block, 8);
}

/// Blocks of an output element's sum. A first layer's (147 terms: 7 x 7 taps of 3 channels) are short, for all later
/// layers amplify what it errs by.
inline std::int64_t product_depth_block(std::int64_t total, std::int64_t block) {
  return total >= 96 && total <= block && total % 8 != 0 ? 48 : depth_block(total, block);
}

}  // namespace bramble::kernels::conv2d
