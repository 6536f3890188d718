#include "kernels/attention/attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

using test::uniform;

struct Sizes {
  std::int64_t queries, keys, dim;
  std::int64_t value_dim = 0;  ///< 0: dim
  bool biased = false;
  bool masked = false;
};

/// Lengths that tiles of 7 and 4 rows, 12 and 8 columns and blocks of 72 divide and do not, a ViT's 197, a Swin
/// window's 49; queries apart from keys; head_dim of and between whole vectors; values wider and narrower than keys; a
/// bias, a mask, both; a last block of one query.
std::vector<Sizes> sizes() {
  std::vector<Sizes> all;
  for (const std::int64_t length : {1, 3, 7, 8, 9, 17, 20, 49, 63, 64, 65})
    for (const std::int64_t dim : {1, 3, 8, 32, 64, 65}) all.push_back({length, length, dim});
  for (const std::int64_t dim : {3, 64}) all.push_back({197, 197, dim});
  all.push_back({5, 130, 16});
  all.push_back({130, 5, 16});
  for (const bool masked : {false, true}) {
    for (const std::int64_t length : {1, 11, 49, 53}) all.push_back({length, length, 32, 0, true, masked});
    all.push_back({75, 14, 7, 18, true, masked});
    all.push_back({14, 75, 16, 5, !masked, masked});
    all.push_back({11, 19, 4, 20, !masked, masked});
  }
  all.push_back({1225, 3, 4});
  all.push_back({49, 49, 32, 128});
  return all;
}

std::size_t size(std::int64_t count) { return static_cast<std::size_t>(count); }

/// Rows of one head inside wider ones, from a misaligned start and shuffled: whoever writes outside its columns, or to
/// another row, is found.
struct Matrix {
  static constexpr std::int64_t kStart = 3;
  std::int64_t rows, cols, stride;
  std::vector<float> values;
  std::vector<std::int64_t> offsets;

  Matrix(std::int64_t row_count, std::int64_t col_count, std::uint64_t seed, float reach = 1)
      : rows(row_count),
        cols(col_count),
        stride(col_count + 5),
        values(uniform(size(kStart + rows * stride), seed, -reach, reach)) {
    // 37 is a prime above any count here that has it as a factor: every row once.
    for (std::int64_t i = 0; i < rows; ++i) offsets.push_back((rows % 37 == 0 ? i : i * 37 % rows) * stride);
  }
  ListedRows<const float> read() const { return {values.data() + kStart, offsets.data()}; }
  ListedRows<float> write() { return {values.data() + kStart, offsets.data()}; }
  /// In order, as the bias and the mask lie.
  MatrixRows<const float> read_ordered() const { return {values.data() + kStart, stride}; }
  MatrixRows<float> write_ordered() { return {values.data() + kStart, stride}; }
};

void expect_near(const Matrix& actual, const Matrix& expected, float allowed) {
  for (std::size_t i = 0; i < actual.values.size(); ++i)
    ASSERT_NEAR(actual.values[i], expected.values[i], allowed) << "element " << i << ", stride " << actual.stride;
}

struct Problem {
  AttentionShape shape;
  Matrix q, k, v, dy, bias, mask;
  bool biased, masked;

  explicit Problem(const Sizes& s, float reach = 1)
      : shape{s.queries, s.keys, s.dim, s.value_dim ? s.value_dim : s.dim, 1 / std::sqrt(static_cast<float>(s.dim))},
        q(s.queries, s.dim, 1, reach),
        k(s.keys, s.dim, 2, reach),
        v(s.keys, shape.value_dim, 3),
        dy(s.queries, shape.value_dim, 4),
        bias(s.keys, s.queries, 5),
        mask(s.keys, s.queries, 6),
        biased(s.biased),
        masked(s.masked) {
    // Swin's: away, or not; every query sees the first key.
    for (std::int64_t j = 0; j < s.keys; ++j)
      for (std::int64_t i = 0; i < s.queries; ++i)
        mask.write_ordered().row(j)[i] = j % 3 == 0 || (i + j) % 2 == 0 ? 0 : -100;
  }
  AttentionInputs inputs() const {
    AttentionInputs all{q.read(), k.read(), v.read()};
    if (biased) all.bias = bias.read_ordered();
    if (masked) all.mask = mask.read_ordered();
    return all;
  }

  void forward(Matrix& y, std::vector<float>& lse) const {
    std::vector<float> scratch(size(attention_fwd_scratch_f32(shape)), NAN);
    attention_fwd_f32(shape, inputs(), y.write(), lse.data(), 0, shape.queries, scratch.data());
  }
};

testing::Message describe(const Sizes& s) {
  return testing::Message() << s.queries << " queries, " << s.keys << " keys, key_dim " << s.dim << ", value_dim "
                            << s.value_dim << (s.biased ? ", bias" : "") << (s.masked ? ", mask" : "");
}

TEST(Attention, ForwardMatchesReference) {
  for (const Sizes& s : sizes()) {
    SCOPED_TRACE(describe(s));
    for (const float reach : {1.0f, 4.0f}) {
      const Problem problem(s, reach);
      Matrix y(s.queries, problem.shape.value_dim, 9), expected = y;
      std::vector<float> lse(size(s.queries)), expected_lse(lse.size());
      problem.forward(y, lse);
      attention_fwd_f32_ref(problem.shape, problem.inputs(), expected.write(), expected_lse.data());
      // exp turns a score's rounding error, which grows with its size, into a relative one.
      const float score = reach * reach * std::sqrt(static_cast<float>(s.dim));
      const float allowed = 3e-6f + 5e-7f * score;
      expect_near(y, expected, allowed);
      for (std::size_t i = 0; i < lse.size(); ++i) ASSERT_NEAR(lse[i], expected_lse[i], allowed) << i;
    }
  }
}

TEST(Attention, BackwardMatchesReference) {
  for (const Sizes& s : sizes()) {
    SCOPED_TRACE(describe(s));
    const Problem problem(s);
    Matrix y(s.queries, problem.shape.value_dim, 9);
    std::vector<float> lse(size(s.queries));
    problem.forward(y, lse);
    Matrix dq(s.queries, s.dim, 5), dk(s.keys, s.dim, 6), dv(s.keys, problem.shape.value_dim, 7);
    Matrix expected_dq = dq, expected_dk = dk, expected_dv = dv;
    Matrix dbias(s.keys, s.queries, 8), expected_dbias = dbias;  // added to what is there
    std::vector<float> scratch(size(attention_bwd_scratch_f32(problem.shape)), NAN);
    attention_bwd_f32(
        problem.shape, problem.inputs(), {y.read(), problem.dy.read(), lse.data()},
        {dq.write(), dk.write(), dv.write(), problem.biased ? dbias.write_ordered() : MatrixRows<float>{}},
        scratch.data());
    attention_bwd_f32_ref(problem.shape, problem.inputs(), problem.dy.read(),
                          {expected_dq.write(), expected_dk.write(), expected_dv.write(),
                           problem.biased ? expected_dbias.write_ordered() : MatrixRows<float>{}});
    // dk and dv are sums over queries of terms below queries / keys on average, each off by a few ulp.
    const auto ratio = static_cast<float>(s.queries) / static_cast<float>(s.keys);
    const float allowed = 5e-6f * (1 + ratio) * (1 + 0.1f * std::sqrt(static_cast<float>(s.dim)));
    expect_near(dq, expected_dq, allowed);
    expect_near(dk, expected_dk, allowed);
    expect_near(dv, expected_dv, allowed);
    expect_near(dbias, expected_dbias, allowed);
  }
}

TEST(Attention, BackwardLeavesOutWhatIsNotWanted) {
  for (const std::int64_t dim : {6, 16}) {
    const Sizes s{21, 30, dim, 0, true};
    const Problem problem(s);
    Matrix y(s.queries, dim, 9);
    std::vector<float> lse(size(s.queries));
    problem.forward(y, lse);
    std::vector<float> scratch(size(attention_bwd_scratch_f32(problem.shape)));
    Matrix whole[] = {{s.queries, dim, 5}, {s.keys, dim, 6}, {s.keys, dim, 7}, {s.keys, s.queries, 8}};
    const auto backward = [&](Matrix* all, int wanted) {
      AttentionGradients gradients;
      if (wanted & 1) gradients.dq = all[0].write();
      if (wanted & 2) gradients.dk = all[1].write();
      if (wanted & 4) gradients.dv = all[2].write();
      if (wanted & 8) gradients.dbias = all[3].write_ordered();
      attention_bwd_f32(problem.shape, problem.inputs(), {y.read(), problem.dy.read(), lse.data()}, gradients,
                        scratch.data());
    };
    for (int wanted = 0; wanted < 16; ++wanted) {
      Matrix some[] = {whole[0], whole[1], whole[2], whole[3]}, all[] = {whole[0], whole[1], whole[2], whole[3]};
      backward(all, 15);
      backward(some, wanted);
      for (int i = 0; i < 4; ++i)
        EXPECT_EQ(some[i].values, wanted >> i & 1 ? all[i].values : whole[i].values) << i << " of " << wanted;
    }
  }
}

TEST(Attention, RowsOfProbabilitiesSumToOne) {
  for (const Sizes& s : sizes()) {
    SCOPED_TRACE(describe(s));
    Problem problem(s, 3);
    std::fill(problem.v.values.begin(), problem.v.values.end(), 1.0f);
    Matrix y(s.queries, problem.shape.value_dim, 9);
    std::vector<float> lse(size(s.queries));
    problem.forward(y, lse);
    for (std::int64_t i = 0; i < s.queries; ++i)
      for (std::int64_t d = 0; d < problem.shape.value_dim; ++d) ASSERT_NEAR(y.read().row(i)[d], 1.0f, 3e-6f) << i;
  }
}

TEST(Attention, LargeLogitsDoNotOverflow) {
  const Sizes s{9, 17, 8};
  const Problem problem(s, 200);
  Matrix y(s.queries, s.dim, 9), expected = y;
  std::vector<float> lse(size(s.queries)), expected_lse(lse.size());
  problem.forward(y, lse);
  attention_fwd_f32_ref(problem.shape, problem.inputs(), expected.write(), expected_lse.data());
  expect_near(y, expected, 0.05f);
  for (std::size_t i = 0; i < lse.size(); ++i) ASSERT_NEAR(lse[i], expected_lse[i], 1e-6f * std::abs(lse[i]));
  Matrix dq(s.queries, s.dim, 5), dk(s.keys, s.dim, 6), dv(s.keys, s.dim, 7);
  std::vector<float> scratch(size(attention_bwd_scratch_f32(problem.shape)));
  attention_bwd_f32(problem.shape, problem.inputs(), {y.read(), problem.dy.read(), lse.data()},
                    {dq.write(), dk.write(), dv.write()}, scratch.data());
  for (const Matrix* gradient : {&dq, &dk, &dv})
    for (const float value : gradient->values) ASSERT_TRUE(std::isfinite(value));
}

TEST(Attention, EachQueryIsTheSameWhoeverComputesIt) {
  const Sizes s{21, 30, 12};
  const Problem problem(s);
  Matrix whole(s.queries, s.dim, 9), pieces = whole;
  std::vector<float> lse(size(s.queries)), lse_of_pieces(lse.size());
  problem.forward(whole, lse);
  std::vector<float> scratch(size(attention_fwd_scratch_f32(problem.shape)));
  for (const auto& [begin, end] : {std::pair<std::int64_t, std::int64_t>{13, 21}, {0, 1}, {1, 13}})
    attention_fwd_f32(problem.shape, problem.inputs(), pieces.write(), lse_of_pieces.data(), begin, end,
                      scratch.data());
  EXPECT_EQ(whole.values, pieces.values);
  EXPECT_EQ(lse, lse_of_pieces);
}

}  // namespace
}  // namespace bramble::kernels
