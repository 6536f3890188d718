// Tokens moved to other places, and summed where several go to one: partitions that stay, patch merging, carrier
// tokens. Copies at the memory's speed. A slice is a range of y's rows. Stateless; no allocation, no threads.
#pragma once

#include <cstdint>

namespace bramble::kernels {

/// For each of y's tokens, which of x's are summed in it: rows[k] for starts[i] <= k < starts[i + 1].
struct TokenLists {
  std::int64_t length = 0;  ///< y's tokens, of each image
  const std::int32_t* starts = nullptr;
  const std::int32_t* rows = nullptr;
};

/// A source: [images][length][channels]. The second one's rows are counted on from the first one's; null if none.
struct TokenSource {
  const float* data = nullptr;
  std::int64_t length = 0;
};

/// for (row = begin; row < end; ++row) { n = row / length; i = row % length;
///   y[n][i][c] = sum over k of x[n][rows[k]][c]; }
/// y is written (=), with zeros where nothing goes; it overlaps no source.
void gather_tokens_f32(std::int64_t begin, std::int64_t end, std::int64_t channels, const TokenLists& lists,
                       const TokenSource& first, const TokenSource& second, float* y);

}  // namespace bramble::kernels
