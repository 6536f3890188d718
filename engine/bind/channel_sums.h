// How bindings take a BatchNorm's sums of what they write (graph/ops/channel_sums.h), block by block while it is in the
// cache.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "engine/bind/activation.h"
#include "engine/bind/bind.h"
#include "kernels/batchnorm/batchnorm.h"
#include "kernels/gemm/gemm.h"

namespace bramble::engine {

/// `rows` in as many parts as a tensor of sums has, each (but the last) whole groups of eight.
struct SumParts {
  std::int64_t rows = 0;
  std::int64_t count = 1;

  std::int64_t begin(std::int64_t part) const {
    const std::int64_t groups = (rows + 7) / 8;
    return std::min(rows, groups * part / count * 8);
  }
  std::int64_t end(std::int64_t part) const { return begin(part + 1); }
};

/// One part of the tensor of sums: [2][C]. `all` is null where nobody reads them.
struct PartSums {
  PartSums(double* all, std::int64_t part, std::int64_t channel_count)
      : first(all ? all + part * 2 * channel_count : nullptr),
        second(all ? first + channel_count : nullptr),
        channels(channel_count) {}

  void clear(std::int64_t begin, std::int64_t end) const {
    std::fill(first + begin, first + end, 0.0);
    std::fill(second + begin, second + end, 0.0);
  }
  /// Adds rows [row, row_end) of channels [begin, end) of y, which is [rows][channels].
  void add(const float* y, std::int64_t row, std::int64_t row_end, std::int64_t begin, std::int64_t end) const {
    kernels::batchnorm_stats_f32(static_cast<std::size_t>(row_end - row), static_cast<std::size_t>(end - begin),
                                 y + row * channels + begin, static_cast<std::size_t>(channels), first + begin,
                                 second + begin);
  }
  /// Adds a backward's sums of the same rows and channels.
  void add_backward(const kernels::BatchnormBackward& operands, std::int64_t row, std::int64_t row_end,
                    std::int64_t begin, std::int64_t end) const {
    kernels::batchnorm_bwd_reduce_f32(operands, static_cast<std::size_t>(row), static_cast<std::size_t>(row_end),
                                      static_cast<std::size_t>(begin), static_cast<std::size_t>(end), first, second);
  }

  /// The same of dy, masked where the operands have y.
  void add_masked(const kernels::BatchnormBackward& operands, float* dy, std::int64_t row, std::int64_t row_end,
                  std::int64_t begin, std::int64_t end) const {
    if (operands.y == nullptr) return add_backward(operands, row, row_end, begin, end);
    kernels::batchnorm_bwd_mask_f32(operands, static_cast<std::size_t>(row), static_cast<std::size_t>(row_end),
                                    static_cast<std::size_t>(begin), static_cast<std::size_t>(end), dy, first, second);
  }

  double* first;
  double* second;
  std::int64_t channels;
};

/// Parts [begin, end) of the sums (=) zeros.
inline void clear_parts(double* all, std::int64_t begin, std::int64_t end, std::int64_t channels) {
  std::fill(all + begin * 2 * channels, all + end * 2 * channels, 0.0);
}

/// The normalisation whose mean is input `first`, scale and beta after it.
inline kernels::Normalisation normalisation(const Operands& operands, int first, kernels::Activation activation) {
  return {activation, {operands.in<float>(first), operands.in<float>(first + 1), operands.in<float>(first + 2)}};
}

/// The gate [N][channels] that is input `place`, of images of so many pixels.
inline kernels::ImageGate image_gate(const Operands& operands, int place, std::int64_t pixels, std::int64_t channels) {
  return {operands.in<float>(place), channels, pixels};
}

/// The sums that a node takes of its dx, the dy of a BatchNorm's backward (Op::with_backward_sums).
class BackwardSums {
 public:
  BackwardSums(const BindContext& context, std::optional<graph::Activation> kind, int first_input,
               std::int64_t channel_count)
      : channels_(channel_count), first_(first_input), wanted_(kind.has_value()) {
    if (!wanted_) return;
    activation_ = to_kernel(*kind);
    has_y_ = context.has_input(first_ + 4);
  }
  explicit operator bool() const { return wanted_; }

  /// Rows [row, row_end) of channels [begin, end) of dx [rows][channels].
  void add(const Operands& o, const PartSums& part, float* dx, std::int64_t row, std::int64_t row_end,
           std::int64_t begin, std::int64_t end) const {
    const kernels::BatchnormBackward operands{activation_,
                                              static_cast<std::size_t>(channels_),
                                              dx,
                                              o.in<float>(first_),
                                              has_y_ ? o.in<float>(first_ + 4) : nullptr,
                                              normalisation(o, first_ + 1, activation_).affine};
    part.add_masked(operands, dx, row, row_end, begin, end);
  }

 private:
  std::int64_t channels_;
  int first_;
  bool wanted_;
  bool has_y_ = false;
  kernels::Activation activation_ = kernels::Activation::none;
};

}  // namespace bramble::engine
