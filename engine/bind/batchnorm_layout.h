// What BatchNorm's forward and backward share: how their passes are cut, and where their sums lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "engine/bind/bind.h"
#include "engine/bind/slices.h"

namespace bramble::engine {

/// A part's double, from beyond L1 and added to one sum, takes about as long as four floats of a pass.
inline constexpr std::size_t kWorkOfASum = 4;

/// The rows' slices of the long passes, the channels' slices of the short steps between them, and the shared scratch:
/// the sums, if this node takes them itself, then three per-channel vectors.
struct BatchnormLayout {
  BatchnormLayout(const graph::Shape& shape, const graph::TensorSpec* given_sums, std::optional<std::size_t> unit = {})
      : channels(static_cast<std::size_t>(shape.back())),
        rows(static_cast<std::size_t>(graph::element_count(shape)) / channels),
        by_rows(unit ? slice_rows(rows, channels, *unit) : slice_rows(rows, channels)),
        parts(given_sums != nullptr ? static_cast<std::size_t>(given_sums->shape[0])
                                    : static_cast<std::size_t>(by_rows.count)),
        by_channels(slice_channels(channels, kWorkOfASum * 2 * parts)),
        own_sums(given_sums == nullptr ? parts * 2 * channels : 0) {}

  std::size_t shared_bytes() const { return own_sums * sizeof(double) + 3 * channels * sizeof(float); }

  double* sums(const Operands& o, int input) const {
    return own_sums > 0 ? reinterpret_cast<double*>(o.shared) : const_cast<double*>(o.in<double>(input));
  }
  float* vector(const Operands& o, std::size_t i) const {
    return reinterpret_cast<float*>(o.shared + own_sums * sizeof(double)) + i * channels;
  }

  /// The slice that task `task` of the second pass takes: last first, as those rows are still in the caches.
  std::int64_t backwards(std::int64_t task) const { return by_rows.count - 1 - task; }

  std::size_t channels, rows;
  Slices by_rows;
  std::size_t parts;
  Slices by_channels;
  std::size_t own_sums;  // doubles
};

/// The sums that a node is given, or null.
inline const graph::TensorSpec* given_sums(const BindContext& context, int input) {
  return context.has_input(input) ? &context.input(input) : nullptr;
}

}  // namespace bramble::engine
