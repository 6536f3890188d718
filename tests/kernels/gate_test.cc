#include "kernels/gate/gate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

std::vector<GateShape> shapes() {
  std::vector<GateShape> all;
  for (const std::size_t channels : {1, 3, 4, 7, 16, 18}) {
    all.push_back({2, 6, 8, channels, 3, 4});
    all.push_back({2, 7, 7, channels, 3, 3});
    all.push_back({1, 5, 4, channels, 5, 4});
    all.push_back({3, 5, 9, channels, 1, 2});
  }
  return all;
}

std::size_t elements(const GateShape& s) { return s.batch * s.height * s.width * s.channels; }
std::size_t gate_elements(const GateShape& s) { return s.batch * s.gate_height * s.gate_width * s.channels; }

GateSource dense(const GateShape& s, const float* x) { return {x, 0, s.channels, s.channels}; }

TEST(Gate, ForwardMatchesReferenceMisalignedAndInPlace) {
  for (const GateShape& s : shapes()) {
    const auto x = test::uniform(elements(s) + 1, 1), gate = test::uniform(gate_elements(s) + 1, 2);
    std::vector<float> y = x, expected = x;
    gate_fwd_f32(s, 0, s.batch * s.height, dense(s, y.data() + 1), gate.data() + 1, y.data() + 1);
    gate_fwd_f32_ref(s, x.data() + 1, gate.data() + 1, expected.data() + 1);
    ASSERT_EQ(y, expected);
  }
}

TEST(Gate, BackwardMatchesReferenceRowByRowMisalignedAndInPlace) {
  for (const GateShape& s : shapes()) {
    const auto x = test::uniform(elements(s) + 1, 1), gate = test::uniform(gate_elements(s) + 1, 2);
    const auto dy = test::uniform(elements(s) + 1, 3);
    std::vector<float> dx = dy, expected_dx = dy, dgate(gate.size()), expected_dgate(gate.size()), alone(gate.size());
    for (std::size_t row = s.batch * s.gate_height; row-- > 0;)
      gate_bwd_f32(s, row, row + 1, dx.data() + 1, dense(s, x.data() + 1), gate.data() + 1, dx.data() + 1,
                   dgate.data() + 1);
    gate_bwd_f32_ref(s, dy.data() + 1, x.data() + 1, gate.data() + 1, expected_dx.data() + 1,
                     expected_dgate.data() + 1);
    ASSERT_EQ(dx, expected_dx);
    for (std::size_t i = 0; i < dgate.size(); ++i) ASSERT_NEAR(dgate[i], expected_dgate[i], 1e-5);
    gate_bwd_f32(s, 0, s.batch * s.gate_height, dy.data() + 1, dense(s, x.data() + 1), gate.data() + 1, nullptr,
                 alone.data() + 1);
    ASSERT_EQ(alone, dgate);
  }
}

TEST(Gate, PartsReadThroughTheirNormalisationsGiveTheBitsOfWhatIsJoinedAndNormalised) {
  for (const GateShape& s : shapes()) {
    const std::size_t first = s.channels / 3, pixels = elements(s) / s.channels;
    const auto gate = test::uniform(gate_elements(s), 2), dy = test::uniform(elements(s), 3);
    const auto mean = test::uniform(s.channels, 4), scale = test::uniform(s.channels, 5, 0.5f, 2),
               beta = test::uniform(s.channels, 6);
    // The first part as it is, in rows further apart; the second through a normalisation.
    const auto plain = test::uniform(pixels * (first + 5), 7), source = test::uniform(pixels * (s.channels - first), 8);
    for (const Activation activation : {Activation::none, Activation::relu, Activation::silu}) {
      const Normalisation normal{activation, {mean.data(), scale.data(), beta.data()}};
      std::vector<float> x(elements(s));
      for (std::size_t p = 0; p < pixels; ++p) std::copy_n(&plain[p * (first + 5) + 2], first, &x[p * s.channels]);
      batchnorm_fwd_strided_f32(activation, pixels, s.channels - first, source.data(), s.channels - first,
                                normal.affine, &x[first], s.channels);
      std::vector<float> y(x.size(), -1), expected(x.size()), dx(x.size()), expected_dx(x.size()), dgate(gate.size()),
          expected_dgate(gate.size());
      gate_fwd_f32(s, 0, s.batch * s.height, dense(s, x.data()), gate.data(), expected.data());
      gate_bwd_f32(s, 0, s.batch * s.gate_height, dy.data(), dense(s, x.data()), gate.data(), expected_dx.data(),
                   expected_dgate.data());
      for (const GateSource& part :
           {GateSource{&plain[2], 0, first, first + 5},
            GateSource{source.data(), first, s.channels - first, s.channels - first, &normal}}) {
        gate_fwd_f32(s, 0, s.batch * s.height, part, gate.data(), y.data());
        gate_bwd_f32(s, 0, s.batch * s.gate_height, dy.data(), part, gate.data(), dx.data(), dgate.data());
      }
      ASSERT_EQ(y, expected);
      ASSERT_EQ(dx, expected_dx);
      ASSERT_EQ(dgate, expected_dgate);
    }
  }
}

}  // namespace
}  // namespace bramble::kernels
