#include "engine/layout.h"

#include <algorithm>
#include <stdexcept>

#include "kernels/gemm/packed_weight.h"

namespace bramble::engine {
namespace {

// A cache line more than a multiple of some power of two: rows then begin in other sets of a cache each.
constexpr std::int64_t kSpread = 64 / sizeof(float);

kernels::PackedWeightShape packed_shape(const graph::TensorSpec& spec) {
  const graph::Shape& shape = spec.shape;
  if (shape.size() == 2) return {shape[0], shape[1], 1, 1, spec.groups};
  return {shape[0], shape[1], shape[2], shape[3], spec.groups};
}

/// dst[column][row] = src[row][column]
void transpose(const float* src, float* dst, std::int64_t rows, std::int64_t columns) {
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c) dst[c * rows + r] = src[r * columns + c];
}

void copy_rows(const float* src, std::int64_t src_stride, float* dst, std::int64_t dst_stride,
               const graph::Shape& shape) {
  for (std::int64_t row = 0; row < graph::element_count(shape) / shape.back(); ++row)
    std::copy_n(src + row * src_stride, shape.back(), dst + row * dst_stride);
}

void check_sizes(const graph::TensorSpec& spec, std::size_t torch, std::size_t storage) {
  if (torch != static_cast<std::size_t>(graph::element_count(spec.shape)) || storage != storage_elements(spec))
    throw std::invalid_argument("a tensor of shape " + graph::to_string(spec.shape) + " was given " +
                                std::to_string(torch) + " values");
}

}  // namespace

std::int64_t row_stride(const graph::TensorSpec& spec) {
  if (spec.layout == graph::Layout::part) return spec.row_pitch;
  return spec.shape.back() + (spec.layout == graph::Layout::spread_rows ? kSpread : 0);
}

std::size_t storage_elements(const graph::TensorSpec& spec) {
  if (spec.layout == graph::Layout::spread_rows)
    return static_cast<std::size_t>(graph::element_count(spec.shape) / spec.shape.back() * row_stride(spec));
  if (spec.layout == graph::Layout::part)  // to the end of the last row, with what lies between
    return static_cast<std::size_t>((graph::element_count(spec.shape) / spec.shape.back() - 1) * spec.row_pitch +
                                    spec.shape.back());
  if (spec.layout == graph::Layout::gemm_weight)
    return static_cast<std::size_t>(kernels::packed_weight_elements(packed_shape(spec)));
  return static_cast<std::size_t>(graph::element_count(spec.shape));
}

std::size_t storage_bytes(const graph::TensorSpec& spec) { return storage_elements(spec) * graph::size_of(spec.dtype); }

void import_torch(const graph::TensorSpec& spec, std::span<const float> torch, std::span<float> storage) {
  check_sizes(spec, torch.size(), storage.size());
  switch (spec.layout) {
    case graph::Layout::dense:
      std::copy(torch.begin(), torch.end(), storage.begin());
      return;
    case graph::Layout::gemm_weight:
      kernels::pack_weight_f32(packed_shape(spec), torch.data(), storage.data());
      return;
    case graph::Layout::spread_rows:
    case graph::Layout::part:
      copy_rows(torch.data(), spec.shape.back(), storage.data(), row_stride(spec), spec.shape);
      return;
    case graph::Layout::depthwise_weight:
      transpose(torch.data(), storage.data(), spec.shape[0], spec.shape[2] * spec.shape[3]);
      return;
  }
}

void export_torch(const graph::TensorSpec& spec, std::span<const float> storage, std::span<float> torch) {
  check_sizes(spec, torch.size(), storage.size());
  switch (spec.layout) {
    case graph::Layout::dense:
      std::copy(storage.begin(), storage.end(), torch.begin());
      return;
    case graph::Layout::gemm_weight:
      kernels::unpack_weight_f32(packed_shape(spec), storage.data(), torch.data());
      return;
    case graph::Layout::spread_rows:
    case graph::Layout::part:
      copy_rows(storage.data(), row_stride(spec), torch.data(), spec.shape.back(), spec.shape);
      return;
    case graph::Layout::depthwise_weight:
      transpose(storage.data(), torch.data(), spec.shape[2] * spec.shape[3], spec.shape[0]);
      return;
  }
}

}  // namespace bramble::engine
