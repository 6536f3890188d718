// The equations of separable_attention.h as loops, in double.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "kernels/separable_attention/separable_attention.h"

namespace bramble::kernels {
namespace {

struct Image {
  const SeparableAttentionShape& shape;
  const float* qkv;

  std::int64_t pixels() const { return shape.height * shape.width; }
  std::int64_t place(std::int64_t pixel) const {
    return pixel / shape.width % shape.patch * shape.patch + pixel % shape.width % shape.patch;
  }
  double query(std::int64_t pixel) const { return qkv[pixel * shape.row()]; }
  double key(std::int64_t pixel, std::int64_t c) const { return qkv[pixel * shape.row() + 1 + c]; }
  double value(std::int64_t pixel, std::int64_t c) const { return qkv[pixel * shape.row() + 1 + shape.channels + c]; }
};

std::vector<double> scores_of(const Image& image) {
  std::vector<double> sums(static_cast<std::size_t>(image.shape.places()));
  std::vector<double> largest(sums.size(), -INFINITY);
  std::vector<double> scores(static_cast<std::size_t>(image.pixels()));
  const auto place = [&](std::size_t i) { return static_cast<std::size_t>(image.place(static_cast<std::int64_t>(i))); };
  for (std::size_t i = 0; i < scores.size(); ++i)
    largest[place(i)] = std::max(largest[place(i)], image.query(static_cast<std::int64_t>(i)));
  for (std::size_t i = 0; i < scores.size(); ++i) {
    scores[i] = std::exp(image.query(static_cast<std::int64_t>(i)) - largest[place(i)]);
    sums[place(i)] += scores[i];
  }
  for (std::size_t i = 0; i < scores.size(); ++i) scores[i] /= sums[place(i)];
  return scores;
}

/// [places][channels] of the sum over a place's pixels of term(pixel, c).
template <class Term>
std::vector<double> sum_by_place(const Image& image, Term term) {
  const std::int64_t channels = image.shape.channels;
  std::vector<double> sums(static_cast<std::size_t>(image.shape.places() * channels), 0.0);
  for (std::int64_t i = 0; i < image.pixels(); ++i)
    for (std::int64_t c = 0; c < channels; ++c)
      sums[static_cast<std::size_t>(image.place(i) * channels + c)] += term(i, c);
  return sums;
}

std::vector<double> context_of(const Image& image, const std::vector<double>& scores) {
  return sum_by_place(image, [&](std::int64_t i, std::int64_t c) {
    return scores[static_cast<std::size_t>(i)] * image.key(i, c);
  });
}

void copy(const std::vector<double>& from, float* to) {
  std::transform(from.begin(), from.end(), to, [](double value) { return static_cast<float>(value); });
}

}  // namespace

void separable_attention_fwd_f32_ref(const SeparableAttentionShape& shape, const float* qkv, float* scores,
                                     float* context, float* y) {
  const Image image{shape, qkv};
  const std::vector<double> own_scores = scores_of(image), own_context = context_of(image, own_scores);
  copy(own_scores, scores);
  copy(own_context, context);
  for (std::int64_t i = 0; i < image.pixels(); ++i)
    for (std::int64_t c = 0; c < shape.channels; ++c)
      y[i * shape.channels + c] =
          static_cast<float>(std::max(image.value(i, c), 0.0) *
                             own_context[static_cast<std::size_t>(image.place(i) * shape.channels + c)]);
}

void separable_attention_bwd_f32_ref(const SeparableAttentionShape& shape, const float* qkv, const float* dy,
                                     float* dqkv) {
  const Image image{shape, qkv};
  const std::int64_t channels = shape.channels;
  const std::vector<double> scores = scores_of(image), context = context_of(image, scores);
  const std::vector<double> dcontext = sum_by_place(image, [&](std::int64_t i, std::int64_t c) {
    return dy[i * channels + c] * std::max(image.value(i, c), 0.0);
  });
  for (std::int64_t i = 0; i < image.pixels(); ++i) {
    float* const to = dqkv + i * shape.row();
    const double score = scores[static_cast<std::size_t>(i)];
    double dscore = 0;
    for (std::int64_t c = 0; c < channels; ++c) {
      const auto at = static_cast<std::size_t>(image.place(i) * channels + c);
      dscore += (image.key(i, c) - context[at]) * dcontext[at];
      to[1 + c] = static_cast<float>(score * dcontext[at]);
      to[1 + channels + c] = image.value(i, c) > 0 ? static_cast<float>(dy[i * channels + c] * context[at]) : 0.0F;
    }
    to[0] = static_cast<float>(score * dscore);
  }
}

}  // namespace bramble::kernels
