#include "kernels/separable_attention/separable_attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/support/random.h"

namespace bramble::kernels {
namespace {

using test::uniform;

std::size_t size(std::int64_t count) { return static_cast<std::size_t>(count); }

/// Channels around the block of 16 and with every kind of tail; MobileViTv2's 28 x 28 and 8 x 8.
std::vector<SeparableAttentionShape> shapes() {
  std::vector<SeparableAttentionShape> all;
  for (const std::int64_t channels : {1, 3, 4, 15, 16, 17, 33, 64}) all.push_back({4, 6, channels, 2});
  all.push_back({28, 28, 20, 2});
  all.push_back({8, 8, 64, 2});
  all.push_back({6, 9, 7, 3});
  all.push_back({5, 7, 18, 1});
  return all;
}

struct Image {
  SeparableAttentionShape shape;
  std::vector<float> qkv, dy, scores, context;

  explicit Image(const SeparableAttentionShape& s)
      : shape(s),
        qkv(uniform(size(pixels() * s.row()), 1, -2, 2)),
        dy(uniform(size(pixels() * s.channels), 2)),
        scores(size(pixels()), NAN),
        context(size(s.places() * s.channels), NAN) {}
  std::int64_t pixels() const { return shape.height * shape.width; }

  /// Scores and context, the latter in two slices of channels.
  void prepare() {
    std::vector<float> scratch(scores.size());
    separable_attention_scores_f32(shape, qkv.data(), scores.data(), scratch.data());
    const std::int64_t cut = shape.channels / 2;
    separable_attention_context_f32(shape, qkv.data(), scores.data(), 0, cut, context.data());
    separable_attention_context_f32(shape, qkv.data(), scores.data(), cut, shape.channels, context.data());
  }
};

void expect_near(const std::vector<float>& actual, const std::vector<float>& expected, float allowed) {
  for (std::size_t i = 0; i < actual.size(); ++i) ASSERT_NEAR(actual[i], expected[i], allowed) << i;
}

testing::Message describe(const SeparableAttentionShape& s) {
  return testing::Message() << s.height << " x " << s.width << ", " << s.channels << " channels, patches of "
                            << s.patch;
}

TEST(SeparableAttention, ForwardMatchesReference) {
  for (const SeparableAttentionShape& shape : shapes()) {
    SCOPED_TRACE(describe(shape));
    Image image(shape);
    image.prepare();
    std::vector<float> y(image.dy.size(), NAN), scores(image.scores), context(image.context), expected(y);
    separable_attention_fwd_f32(shape, 0, 1, image.qkv.data(), image.context.data(), y.data());
    separable_attention_fwd_f32(shape, 1, shape.height, image.qkv.data(), image.context.data(), y.data());
    separable_attention_fwd_f32_ref(shape, image.qkv.data(), scores.data(), context.data(), expected.data());
    expect_near(image.scores, scores, 5e-7F);
    expect_near(image.context, context, 3e-6F);
    expect_near(y, expected, 5e-6F);
  }
}

TEST(SeparableAttention, BackwardMatchesReference) {
  for (const SeparableAttentionShape& shape : shapes()) {
    SCOPED_TRACE(describe(shape));
    Image image(shape);
    image.prepare();
    std::vector<float> dcontext(image.context.size(), NAN), dqkv(image.qkv.size(), NAN), expected(dqkv);
    separable_attention_bwd_context_f32(shape, image.qkv.data(), image.dy.data(), 0, shape.channels, dcontext.data());
    const SeparableAttentionSaved saved{image.scores.data(), image.context.data(), dcontext.data()};
    separable_attention_bwd_data_f32(shape, 0, 2, image.qkv.data(), image.dy.data(), saved, dqkv.data());
    separable_attention_bwd_data_f32(shape, 2, shape.height, image.qkv.data(), image.dy.data(), saved, dqkv.data());
    separable_attention_bwd_f32_ref(shape, image.qkv.data(), image.dy.data(), expected.data());
    // A query's gradient is a sum over the channels of terms as large as sums over the pixels.
    expect_near(dqkv, expected, 1e-5F * (1 + 0.05F * static_cast<float>(shape.channels)));
  }
}

TEST(SeparableAttention, ScoresOfEachPlaceSumToOneHoweverLarge) {
  Image image({6, 8, 3, 2});
  for (float& value : image.qkv) value *= 500;
  image.prepare();
  std::vector<double> sums(4, 0.0);
  for (std::size_t i = 0; i < image.scores.size(); ++i) sums[i / 8 % 2 * 2 + i % 2] += image.scores[i];
  for (const double sum : sums) EXPECT_NEAR(sum, 1, 1e-6);
}

}  // namespace
}  // namespace bramble::kernels
