// The products of softmax attention, with all operands where they lie: rows of a head in a qkv tensor or of a window in
// an image, and scores in scratch. Tiles have 7 or 4 rows and at most 12 columns, so that windows of 49 tokens fill
// them, and any 18 rows or more. Stateless; no allocation, no threads. Every element is the same sum in the same order
// whichever tile it is in.
#pragma once

#include <cstdint>

#include "kernels/attention/attention.h"

namespace bramble::kernels::attention {

/// A tile's columns: three vectors of four, or two; one only if there is no other. `first` counts vectors.
template <class Chunk>
void for_each_chunk(std::int64_t vectors, Chunk chunk) {
  std::int64_t first = 0;
  for (; vectors - first > 4 || vectors - first == 3; first += 3) chunk(first, 3);
  for (; vectors - first >= 2; first += 2) chunk(first, 2);
  if (first < vectors) chunk(first, 1);
}

/// scores[j][i] (=) sum over d of keys[j][d] * panels(d, i) + bias[j][i] + mask[j][i], j < count, i < 4 * vectors;
/// maximum[i] (=, if not null) the largest over j. `panels` are pack_lanes'. bias and mask may be null.
struct ScoreProduct {
  std::int64_t count = 0;
  std::int64_t vectors = 0;
  std::int64_t depth = 0;
  ListedRows<const float> keys;
  const float* panels = nullptr;
  MatrixRows<const float> bias{}, mask{};
  MatrixRows<float> scores;
  float* maximum = nullptr;
};
void multiply_keys(const ScoreProduct& product);

/// The columns of a ScoreProduct: chunk by chunk, panels(d, i) = factor * rows[first + i][d], [depth][chunk's columns];
/// zeros from i = count on.
void pack_lanes(const ListedRows<const float>& rows, std::int64_t first, std::int64_t count, std::int64_t depth,
                float factor, float* panels);

/// target[j][d] (=, or += with accumulate) sum over i < depth of weights[j][i] * rows[first + i][d], j < count,
/// d < 4 * vectors.
struct KeyGradientProduct {
  std::int64_t count = 0;
  std::int64_t vectors = 0;
  std::int64_t depth = 0;
  MatrixRows<const float> weights;
  ListedRows<const float> rows;
  std::int64_t first = 0;
  ListedRows<float> target;
  bool accumulate = false;
};
void multiply_weights(const KeyGradientProduct& product);

/// target[first + i][d] (=) factor[i] * sum over j < depth of weights[j][i] * rows[j][d], i < count, d < 4 * vectors.
/// factor may be null: 1; else 7 floats beyond its last are readable, as 7 beyond the weights' last row are.
struct QueryProduct {
  std::int64_t count = 0;
  std::int64_t vectors = 0;
  std::int64_t depth = 0;
  MatrixRows<const float> weights;
  ListedRows<const float> rows;
  const float* factor = nullptr;
  ListedRows<float> target;
  std::int64_t first = 0;
};
void combine_keys(const QueryProduct& product);

/// How far beyond the weights of a QueryProduct it reads.
inline constexpr std::int64_t kReadBeyond = 8;

}  // namespace bramble::kernels::attention
