#include "kernels/relative_position_bias/relative_position_bias.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

/// Three keys and five queries of two heads, with a table of four entries, one of which no pair takes.
constexpr std::int64_t kHeads = 2, kKeys = 3, kQueries = 5, kEntries = 4, kStride = 8;
constexpr std::int32_t kIndex[] = {0, 1, -1, 3, 3, 1, 1, 0, -1, 0, 3, -1, 0, 1, 0};

RelativePositionShape shape_of(bool heads_first) {
  return {kKeys, kQueries, kIndex, kEntries, heads_first ? 1 : kHeads, heads_first ? kEntries : 1, 16};
}

std::size_t entry(bool heads_first, std::int64_t e, std::int64_t head) {
  return static_cast<std::size_t>(heads_first ? head * kEntries + e : e * kHeads + head);
}

std::size_t place(std::int64_t head, std::int64_t key, std::int64_t query) {
  return static_cast<std::size_t>((head * kKeys + key) * kStride + query);
}

TEST(RelativePositionBias, TakesTheTablesEntries) {
  for (const bool heads_first : {false, true}) {
    const auto table = test::uniform(kEntries * kHeads, 1);
    std::vector<float> bias(kHeads * kKeys * kStride, 77);
    relative_position_bias_fwd_f32(shape_of(heads_first), 0, kHeads, table.data(), bias.data());
    for (std::int64_t h = 0; h < kHeads; ++h)
      for (std::int64_t j = 0; j < kKeys; ++j)
        for (std::int64_t i = 0; i < kStride; ++i) {
          const std::int32_t e = i < kQueries ? kIndex[j * kQueries + i] : -1;
          EXPECT_EQ(bias[place(h, j, i)], e < 0 ? 0 : 16 * table[entry(heads_first, e, h)]);
        }
  }
}

TEST(RelativePositionBias, GradientSumsThePairsOfAnEntry) {
  for (const bool heads_first : {false, true}) {
    const auto dbias = test::uniform(kHeads * kKeys * kStride, 1);
    std::vector<float> dtable(kEntries * kHeads, 77);
    for (std::int64_t h = 0; h < kHeads; ++h)
      relative_position_bias_bwd_f32(shape_of(heads_first), h, h + 1, dbias.data(), dtable.data());
    for (std::int64_t h = 0; h < kHeads; ++h)
      for (std::int64_t e = 0; e < kEntries; ++e) {
        double sum = 0;
        for (std::int64_t j = 0; j < kKeys; ++j)
          for (std::int64_t i = 0; i < kQueries; ++i)
            if (kIndex[j * kQueries + i] == e) sum += 16 * static_cast<double>(dbias[place(h, j, i)]);
        EXPECT_NEAR(dtable[entry(heads_first, e, h)], sum, 1e-5);
      }
  }
}

}  // namespace
}  // namespace bramble::kernels
