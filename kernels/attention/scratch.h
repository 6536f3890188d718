// What attention's forward and backward share beside their products: scratch, whole vectors, blocks of queries.
#pragma once

#include <algorithm>
#include <cstdint>
#include <new>

#include "kernels/attention/attention.h"
#include "kernels/gemm/gemm.h"

namespace bramble::kernels::attention {

/// Hands out 64-byte aligned pieces of one buffer; of a null one, only their total.
class ScratchCursor {
 public:
  explicit ScratchCursor(float* base) : base_(base) {}

  float* take(std::int64_t floats) {
    float* piece = base_ == nullptr ? nullptr : base_ + used_;
    used_ += round_up(floats, 16);
    return piece;
  }
  std::int64_t floats() const { return used_; }

  /// Rows of whole vectors, and the list of where they lie.
  ListedRows<float> take_rows(std::int64_t rows, std::int64_t dim) {
    const std::int64_t stride = round_up(dim, 4);
    float *const values = take(rows * stride), *const list = take(rows * 2);
    if (base_ == nullptr) return {};
    auto* offsets = new (list) std::int64_t[static_cast<std::size_t>(rows)];
    for (std::int64_t i = 0; i < rows; ++i) offsets[i] = i * stride;
    return {values, offsets};
  }
  /// A copy of the rows with zeros up to the next whole vector.
  ListedRows<const float> pad(std::int64_t rows, std::int64_t dim, const ListedRows<const float>& source) {
    const ListedRows<float> copy = take_rows(rows, dim);
    for (std::int64_t i = 0; base_ != nullptr && i < rows; ++i)
      std::fill_n(std::copy_n(source.row(i), dim, copy.row(i)), round_up(dim, 4) - dim, 0.0f);
    return {copy.data, copy.offsets};
  }

 private:
  float* base_;
  std::int64_t used_ = 0;
};

/// Nothing where `to` is null.
inline void copy_rows(std::int64_t begin, std::int64_t end, std::int64_t dim, const ListedRows<float>& from,
                      const ListedRows<float>& to) {
  for (std::int64_t i = begin; to.data && i < end; ++i) std::copy_n(from.row(i), dim, to.row(i));
}

inline bool has_whole_vectors(const AttentionShape& shape) {
  return shape.key_dim % 4 == 0 && shape.value_dim % 4 == 0;
}
inline AttentionShape in_whole_vectors(AttentionShape shape) {
  shape.key_dim = round_up(shape.key_dim, 4);
  shape.value_dim = round_up(shape.value_dim, 4);
  return shape;
}

/// The columns of a bias, mask or their gradient from a query on; null stays null.
template <class Value>
MatrixRows<Value> from_query(const MatrixRows<Value>& addend, std::int64_t query) {
  return addend.data ? MatrixRows<Value>{addend.data + query, addend.stride} : addend;
}

/// Rows of so many vectors that give exp2_f32 three or four vectors at a time.
constexpr int rows_of_turn(int vectors) { return vectors == 3 ? 1 : 4 / vectors; }

/// Vectors of four queries in each block but the last, which may have fewer.
inline std::int64_t vectors_of_block(std::int64_t queries, std::int64_t largest) {
  const std::int64_t vectors = std::max<std::int64_t>(1, (queries + 3) / 4), blocks = (vectors + largest - 1) / largest;
  return (vectors + blocks - 1) / blocks;
}

}  // namespace bramble::kernels::attention
