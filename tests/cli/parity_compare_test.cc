#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "tests/support/files.h"
#include "tools/parity/compare.h"

namespace bramble::parity {
namespace {

Golden golden() { return read_golden(test::source_file("golden/resnet18.json")); }

const Kind& kind_of(const std::vector<Kind>& kinds, const std::string& name) {
  for (const Kind& kind : kinds) {
    if (kind.name == name) return kind;
  }
  throw std::logic_error("no kind " + name);
}

// Changes the golden's own values and says whether that kind, and no other, is outside.
bool only_outside(const std::string& name, const std::function<void(Values&)>& change) {
  const Golden expected = golden();
  Values computed = expected.values;
  change(computed);
  bool only = true;
  for (const Kind& kind : compare(expected, computed)) only = only && kind.inside() == (kind.name != name);
  return only;
}

TEST(ParityCompare, TheGoldenAgreesWithItself) {
  const Golden expected = golden();
  const std::vector<Kind> kinds = compare(expected, expected.values);
  EXPECT_EQ(kinds.size(), 11U);
  for (const Kind& kind : kinds) {
    EXPECT_TRUE(kind.inside()) << kind.name;
    ASSERT_NE(kind.worst(), nullptr) << kind.name;
    EXPECT_EQ(kind.worst()->value, 0) << kind.name;
  }
}

TEST(ParityCompare, EveryKindIsCompared) {
  const auto spoil = [](Named<engine::Probe>& probes) { probes.back().second[2] += probes.back().second[0]; };
  EXPECT_TRUE(only_outside("head_keys", [](Values& v) { v.head_keys.pop_back(); }));
  EXPECT_TRUE(only_outside("shapes", [](Values& v) { v.shapes[3].second[0] += 1; }));
  EXPECT_TRUE(only_outside("shapes", [](Values& v) { std::swap(v.shapes[0], v.shapes[1]); }));
  EXPECT_TRUE(only_outside("buffer_shapes", [](Values& v) { v.buffer_shapes.erase(v.buffer_shapes.begin()); }));
  EXPECT_TRUE(only_outside("eval_logits", [](Values& v) { v.eval_logits.probe[1] += 1; }));
  EXPECT_TRUE(only_outside("eval_logits", [](Values& v) { v.eval_logits.first[7] += 1; }));
  EXPECT_TRUE(only_outside("train_logits", [](Values& v) { v.train_logits.probe[0] *= 1.01; }));
  EXPECT_TRUE(only_outside("grads", [&](Values& v) { spoil(v.grads); }));
  EXPECT_TRUE(only_outside("buffers", [&](Values& v) { spoil(v.buffers); }));
  EXPECT_TRUE(only_outside("losses", [](Values& v) { v.losses[3] *= 1.1; }));
  EXPECT_TRUE(only_outside("head_losses", [](Values& v) { v.head_losses[0] *= 1.1; }));
  EXPECT_TRUE(only_outside("params_after", [&](Values& v) { spoil(v.params_after); }));
  EXPECT_TRUE(only_outside("head_params_after", [&](Values& v) { spoil(v.head_params_after); }));
}

TEST(ParityCompare, NotANumberIsOutsideAndTheWorst) {
  const Golden expected = golden();
  Values computed = expected.values;
  computed.grads[5].second[1] = std::nan("");
  computed.grads[6].second[1] += 100;
  const std::vector<Kind> kinds = compare(expected, computed);
  const Kind& grads = kind_of(kinds, "grads");
  EXPECT_FALSE(grads.inside());
  EXPECT_EQ(grads.worst()->name, expected.values.grads[5].first);
}

TEST(ParityCompare, MissingTensorsAreNamed) {
  const Golden expected = golden();
  Values computed = expected.values;
  computed.grads.erase(computed.grads.begin());
  const std::vector<Kind> kinds = compare(expected, computed);
  EXPECT_FALSE(kind_of(kinds, "grads").inside());
  EXPECT_EQ(kind_of(kinds, "grads").faults, (std::vector<std::string>{"conv1.weight is missing"}));
}

TEST(ParityCompare, CountsOfBatchesMayBeAbsent) {
  const Golden expected = golden();
  Values computed = expected.values;
  std::erase_if(computed.buffer_shapes, [](const auto& entry) { return is_derived_buffer(entry.first); });
  for (const Kind& kind : compare(expected, computed)) EXPECT_TRUE(kind.inside()) << kind.name;
}

TEST(ParityCompare, ToleranceIsTwentyTimesTheNoiseButNeverTiny) {
  Golden expected = golden();
  expected.noise.eval_logits = 1e-3;
  expected.noise.train_logits = 1e-9;
  const std::vector<Kind> kinds = compare(expected, expected.values);
  EXPECT_DOUBLE_EQ(kind_of(kinds, "eval_logits").worst()->tolerance, 2e-2);
  EXPECT_DOUBLE_EQ(kind_of(kinds, "train_logits").worst()->tolerance, 2e-4);
}

TEST(ParityCompare, GradientsThatAreZeroButForRoundingCountAgainstTheWhole) {
  Golden expected = golden();
  expected.values.grads = {{"large", {1000, 0, 0}}, {"zero", {1e-12, 0, 0}}};
  expected.noise.grads = {{"large", 0}, {"zero", 0}};
  Values computed = expected.values;
  computed.grads[1].second = {1e-7, 1e-7, 0};
  const std::vector<Kind> kinds = compare(expected, computed);
  EXPECT_NEAR(kind_of(kinds, "grads").worst()->value, 1e-7 / 1e-3, 1e-9);
}

TEST(ParityCompare, MeasuredNoiseIsTheDeviation) {
  const Golden expected = golden();
  Values computed = expected.values;
  computed.losses[1] *= 1.5;
  const Noise noise = measured_noise(expected, computed);
  EXPECT_NEAR(noise.losses[1], 0.5, 1e-12);
  EXPECT_EQ(noise.grads.size(), expected.values.grads.size());
}

}  // namespace
}  // namespace bramble::parity
