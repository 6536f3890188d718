// A layer's weight as the GEMM's stored B panels, and the way from and to PyTorch's layout.
//
// For each group a K x N matrix: K = kernel_height * kernel_width * in_per_group, ordered [KH][KW][in_per_group];
// N = the group's output channels. Its panels are those of gemm.h: 12 columns wide, the last one what remains rounded
// up to a multiple of 4, pads zero. The groups follow one another. A linear layer is KH = KW = groups = 1.
#pragma once

#include <cstdint>

namespace bramble::kernels {

struct PackedWeightShape {
  std::int64_t out_channels = 0;
  std::int64_t in_per_group = 0;
  std::int64_t kernel_height = 1;
  std::int64_t kernel_width = 1;
  std::int64_t groups = 1;

  std::int64_t depth() const { return kernel_height * kernel_width * in_per_group; }
  std::int64_t cols() const { return out_channels / groups; }
};

/// Where a gradient by weight is written: the whole weight's, or panels of their own that hold part of one group's
/// matrix.
struct GradientPanels {
  GradientPanels(float* whole) : data(whole) {}
  /// Rows [row, row + rows) and columns from `col` on, a multiple of 12; of a k x k kernel those rows of each tap.
  GradientPanels(float* part, std::int64_t rows, std::int64_t row, std::int64_t col)
      : data(part), part_rows(rows), first_row(row), first_col(col) {}

  bool is_part() const { return part_rows > 0; }
  /// Rows (of a tap) that lie in a panel, given those of the whole.
  std::int64_t rows_of(std::int64_t all) const { return is_part() ? part_rows : all; }

  float* data = nullptr;
  std::int64_t part_rows = 0;
  std::int64_t first_row = 0;
  std::int64_t first_col = 0;
};

/// Floats that one group's k x n matrix occupies.
std::int64_t packed_weight_elements(std::int64_t k, std::int64_t n);

/// Floats that the whole weight occupies.
std::int64_t packed_weight_elements(const PackedWeightShape& shape);

/// Where element (k, n) of one group's matrix of that size lies.
std::int64_t packed_weight_offset(std::int64_t depth, std::int64_t cols, std::int64_t k, std::int64_t n);

/// packed = torch[out][in_per_group][KH][KW]; pads become zeros. The two may not overlap.
void pack_weight_f32(const PackedWeightShape& shape, const float* torch, float* packed);

/// torch[out][in_per_group][KH][KW] = packed. The two may not overlap.
void unpack_weight_f32(const PackedWeightShape& shape, const float* packed, float* torch);

}  // namespace bramble::kernels
