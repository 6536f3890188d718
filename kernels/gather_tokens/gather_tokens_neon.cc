#include <algorithm>

#include "kernels/gather_tokens/gather_tokens.h"
#include "kernels/simd/neon.h"
#include "kernels/simd/partial.h"

namespace bramble::kernels {
namespace {

void add_row(std::size_t channels, const float* x, float* y) {
  for_each_vector(0, channels, [&](const auto& lanes, std::size_t c) {
    lanes.store(y + c, vaddq_f32(lanes.load(y + c), lanes.load(x + c)));
  });
}

}  // namespace

void gather_tokens_f32(std::int64_t begin, std::int64_t end, std::int64_t channels, const TokenLists& lists,
                       const TokenSource& first, const TokenSource& second, float* y) {
  for (std::int64_t row = begin; row < end; ++row) {
    const std::int64_t n = row / lists.length, i = row % lists.length;
    const auto source = [&](std::int64_t k) {
      const std::int64_t at = lists.rows[k] - first.length;
      const TokenSource& from = at < 0 ? first : second;
      return from.data + (n * from.length + (at < 0 ? lists.rows[k] : at)) * channels;
    };
    float* to = y + row * channels;
    const std::int64_t list_begin = lists.starts[i], list_end = lists.starts[i + 1];
    if (list_begin == list_end) {
      std::fill_n(to, channels, 0.0f);
      continue;
    }
    std::copy_n(source(list_begin), channels, to);
    for (std::int64_t k = list_begin + 1; k < list_end; ++k) add_row(static_cast<std::size_t>(channels), source(k), to);
  }
}

}  // namespace bramble::kernels
