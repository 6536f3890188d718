// A matrix inside wider rows, from a misaligned start: whoever writes outside its columns is found.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "kernels/attention/matrix_rows.h"
#include "tests/support/random.h"

namespace bramble::test {

struct StridedMatrix {
  static constexpr std::int64_t kStart = 3;
  std::int64_t rows, cols, stride;
  std::vector<float> values;

  StridedMatrix(std::int64_t row_count, std::int64_t col_count, std::uint64_t seed, float reach = 1)
      : rows(row_count),
        cols(col_count),
        stride(col_count + 5),
        values(uniform(static_cast<std::size_t>(kStart + rows * stride), seed, -reach, reach)) {}
  kernels::MatrixRows<const float> read() const { return {values.data() + kStart, stride}; }
  kernels::MatrixRows<float> write() { return {values.data() + kStart, stride}; }
};

inline void expect_near(const StridedMatrix& actual, const StridedMatrix& expected, float allowed) {
  for (std::size_t i = 0; i < actual.values.size(); ++i)
    ASSERT_NEAR(actual.values[i], expected.values[i], allowed) << "element " << i << ", stride " << actual.stride;
}

}  // namespace bramble::test
