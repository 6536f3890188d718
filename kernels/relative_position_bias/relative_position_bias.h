// Attention's bias, a table's entry for each pair of a key and a query by how one lies to the other, and the table's
// gradient. A few thousand values that do not depend on the batch: scalar. A slice is a range of heads. Stateless; no
// allocation, no threads.
#pragma once

#include <cstdint>

namespace bramble::kernels {

struct RelativePositionShape {
  std::int64_t keys = 0;
  std::int64_t queries = 0;
  const std::int32_t* index = nullptr;  ///< [keys][queries], the table's entry or -1 for none
  std::int64_t entries = 0;
  std::int64_t entry_stride = 0;  ///< entry e of head h is table[e * entry_stride + h * head_stride]
  std::int64_t head_stride = 0;
  float factor = 1;

  std::int64_t bias_stride() const { return (queries + 3) / 4 * 4; }  ///< whole vectors: what is beyond is zero
};

/// bias[h][j][i] (=) factor * table(index[j][i], h), or 0. bias [heads][keys][bias_stride()].
void relative_position_bias_fwd_f32(const RelativePositionShape& shape, std::int64_t head_begin, std::int64_t head_end,
                                    const float* table, float* bias);

/// dtable(e, h) (=) factor * sum over j, i with index[j][i] = e of dbias[h][j][i].
void relative_position_bias_bwd_f32(const RelativePositionShape& shape, std::int64_t head_begin, std::int64_t head_end,
                                    const float* dbias, float* dtable);

}  // namespace bramble::kernels
