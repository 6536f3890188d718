#include "kernels/separable_attention/separable_attention.h"

#include <algorithm>

#include "kernels/activation/activation_neon.h"
#include "kernels/simd/partial.h"

namespace bramble::kernels {
namespace {

std::size_t size(std::int64_t count) { return static_cast<std::size_t>(count); }

/// Calls visit(pixel, i) for the pixels at one place of their patches, i counting them.
template <class Visit>
void for_each_of_place(const SeparableAttentionShape& shape, std::int64_t place, Visit visit) {
  std::int64_t i = 0;
  for (std::int64_t y = place / shape.patch; y < shape.height; y += shape.patch)
    for (std::int64_t x = place % shape.patch; x < shape.width; x += shape.patch) visit(y * shape.width + x, i++);
}

/// values[0, count) (=) their softmax.
void softmax(std::size_t count, float* values) {
  const float32x4_t shift = vdupq_n_f32(-*std::max_element(values, values + count));
  // A sum over some hundred patches: four lanes of floats do.
  float32x4_t sum = vdupq_n_f32(0);
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const float32x4_t e = exp_f32x4(vaddq_f32(vld1q_f32(values + i), shift));
    sum = vaddq_f32(sum, e);
    vst1q_f32(values + i, e);
  }
  float total = vaddvq_f32(sum);
  if (i < count) {
    const std::size_t rest = count - i;
    store_partial_f32(values + i, exp_f32x4(vaddq_f32(load_partial_f32(values + i, rest), shift)), rest);
    for (; i < count; ++i) total += values[i];
  }
  const float32x4_t inverse = vdupq_n_f32(1 / total);
  for_each_vector(0, count, [&](auto lanes, std::size_t k) {
    lanes.store(values + k, vmulq_f32(lanes.load(values + k), inverse));
  });
}

/// sums[place][c] (=) sum over a place's pixels of term(lanes, pixel, c), channels [begin, end). A row of the image at a
/// time, which is then in L1 for all its channels; sums of 16 of them stay in registers along it.
template <class Term>
void sum_by_place(const SeparableAttentionShape& shape, std::int64_t begin, std::int64_t end, float* sums, Term term) {
  for (std::int64_t place = 0; place < shape.places(); ++place)
    std::fill(sums + place * shape.channels + begin, sums + place * shape.channels + end, 0.0F);
  for (std::int64_t y = 0; y < shape.height; ++y) {
    for (std::int64_t first = 0; first < shape.patch; ++first) {
      float* const own = sums + (y % shape.patch * shape.patch + first) * shape.channels;
      const std::int64_t row = y * shape.width;
      std::int64_t c = begin;
      for (; c + 16 <= end; c += 16) {
        float32x4_t sum[4];
#pragma GCC unroll 4
        for (int v = 0; v < 4; ++v) sum[v] = vld1q_f32(own + c + 4 * v);
        for (std::int64_t x = first; x < shape.width; x += shape.patch) {
#pragma GCC unroll 4
          for (int v = 0; v < 4; ++v) sum[v] = term(AllLanes{}, row + x, c + 4 * v, sum[v]);
        }
#pragma GCC unroll 4
        for (int v = 0; v < 4; ++v) vst1q_f32(own + c + 4 * v, sum[v]);
      }
      for_each_vector(size(c), size(end), [&](auto lanes, std::size_t channel) {
        const auto at = static_cast<std::int64_t>(channel);
        float32x4_t sum = lanes.load(own + at);
        for (std::int64_t x = first; x < shape.width; x += shape.patch) sum = term(lanes, row + x, at, sum);
        lanes.store(own + at, sum);
      });
    }
  }
}

/// Calls visit(pixel, place) for the pixels of some rows.
template <class Visit>
void for_each_pixel(const SeparableAttentionShape& shape, std::int64_t row_begin, std::int64_t row_end, Visit visit) {
  for (std::int64_t y = row_begin; y < row_end; ++y)
    for (std::int64_t x = 0; x < shape.width; ++x)
      visit(y * shape.width + x, y % shape.patch * shape.patch + x % shape.patch);
}

/// One pixel's gradients but for its query's, whose sum over the channels is returned.
float differentiate_pixel(std::int64_t channels, float score, const float* key, const float* value, const float* dy,
                          const float* context, const float* dcontext, float* dkey, float* dvalue) {
  const float32x4_t weight = vdupq_n_f32(score), zero = vdupq_n_f32(0);
  float32x4_t sum = zero;
  for_each_vector(0, size(channels), [&](auto lanes, std::size_t c) {
    const float32x4_t slope = lanes.load(dcontext + c);
    sum = vfmaq_f32(sum, lanes.load(key + c), slope);
    const uint32x4_t open = vcgtq_f32(lanes.load(value + c), zero);
    const float32x4_t through = vmulq_f32(lanes.load(dy + c), lanes.load(context + c));
    lanes.store(dkey + c, vmulq_f32(weight, slope));
    lanes.store(dvalue + c, vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(through), open)));
  });
  return vaddvq_f32(sum);
}

float dot(std::int64_t count, const float* a, const float* b) {
  float32x4_t sum = vdupq_n_f32(0);
  for_each_vector(0, size(count),
                  [&](auto lanes, std::size_t i) { sum = vfmaq_f32(sum, lanes.load(a + i), lanes.load(b + i)); });
  return vaddvq_f32(sum);
}

}  // namespace

void separable_attention_scores_f32(const SeparableAttentionShape& shape, const float* qkv, float* scores,
                                    float* scratch) {
  for (std::int64_t place = 0; place < shape.places(); ++place) {
    for_each_of_place(shape, place, [&](std::int64_t pixel, std::int64_t i) { scratch[i] = qkv[pixel * shape.row()]; });
    softmax(size(shape.height * shape.width / shape.places()), scratch);
    for_each_of_place(shape, place, [&](std::int64_t pixel, std::int64_t i) { scores[pixel] = scratch[i]; });
  }
}

void separable_attention_context_f32(const SeparableAttentionShape& shape, const float* qkv, const float* scores,
                                     std::int64_t begin, std::int64_t end, float* context) {
  sum_by_place(shape, begin, end, context, [&](auto lanes, std::int64_t pixel, std::int64_t c, float32x4_t sum) {
    return vfmaq_f32(sum, lanes.load(qkv + pixel * shape.row() + 1 + c), vdupq_n_f32(scores[pixel]));
  });
}

void separable_attention_fwd_f32(const SeparableAttentionShape& shape, std::int64_t row_begin, std::int64_t row_end,
                                 const float* qkv, const float* context, float* y) {
  for_each_pixel(shape, row_begin, row_end, [&](std::int64_t pixel, std::int64_t place) {
    const float* const value = qkv + pixel * shape.row() + 1 + shape.channels;
    const float* const own = context + place * shape.channels;
    float* const to = y + pixel * shape.channels;
    for_each_vector(0, size(shape.channels), [&](auto lanes, std::size_t c) {
      lanes.store(to + c, vmulq_f32(vmaxq_f32(lanes.load(value + c), vdupq_n_f32(0)), lanes.load(own + c)));
    });
  });
}

void separable_attention_bwd_context_f32(const SeparableAttentionShape& shape, const float* qkv, const float* dy,
                                         std::int64_t begin, std::int64_t end, float* dcontext) {
  sum_by_place(shape, begin, end, dcontext, [&](auto lanes, std::int64_t pixel, std::int64_t c, float32x4_t sum) {
    const float* const value = qkv + pixel * shape.row() + 1 + shape.channels;
    return vfmaq_f32(sum, vmaxq_f32(lanes.load(value + c), vdupq_n_f32(0)), lanes.load(dy + pixel * shape.channels + c));
  });
}

void separable_attention_bwd_data_f32(const SeparableAttentionShape& shape, std::int64_t row_begin,
                                      std::int64_t row_end, const float* qkv, const float* dy,
                                      const SeparableAttentionSaved& saved, float* dqkv) {
  for_each_pixel(shape, row_begin, row_end, [&](std::int64_t pixel, std::int64_t place) {
    const std::int64_t first = pixel * shape.row();
    const float* const context = saved.context + place * shape.channels;
    const float* const dcontext = saved.dcontext + place * shape.channels;
    const float score = saved.scores[pixel];
    const float sum = differentiate_pixel(shape.channels, score, qkv + first + 1, qkv + first + 1 + shape.channels,
                                          dy + pixel * shape.channels, context, dcontext, dqkv + first + 1,
                                          dqkv + first + 1 + shape.channels);
    dqkv[first] = score * (sum - dot(shape.channels, context, dcontext));
  });
}

}  // namespace bramble::kernels
