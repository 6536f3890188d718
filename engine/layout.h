// How tensors lie in memory, and parameters' way from PyTorch's order to there and back.
#pragma once

#include <span>

#include "graph/tensor.h"

namespace bramble::engine {

/// Elements from one row (of the last dimension) to the next; dense layouts have none between.
std::int64_t row_stride(const graph::TensorSpec& spec);
/// Elements of storage, padding counted, and what lies between a part's rows.
std::size_t storage_elements(const graph::TensorSpec& spec);
/// Bytes of storage.
std::size_t storage_bytes(const graph::TensorSpec& spec);

/// `storage` = `torch`, whose values are in PyTorch's row-major order. Padding becomes 0.
/// Sizes must be element_count(spec.shape) and storage_elements(spec).
void import_torch(const graph::TensorSpec& spec, std::span<const float> torch, std::span<float> storage);
void export_torch(const graph::TensorSpec& spec, std::span<const float> storage, std::span<float> torch);

}  // namespace bramble::engine
