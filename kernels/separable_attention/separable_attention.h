// Separable self-attention (MobileViTv2, Mehta and Rastegari, 2022) of one image, forward and backward. fp32.
//
// A row of qkv is a pixel's [query, key[C], value[C]]. The image falls into patches of patch x patch pixels; pixels at the
// same place p of their patches attend to each other, so that no pixel has to move for it:
//
//   scores[i]     = exp(query[i]) / sum of exp(query[j]) over the pixels j with p(j) = p(i)
//   context[p][c] = sum over the pixels i with p(i) = p of scores[i] * key[i][c]
//   y[i][c]       = max(value[i][c], 0) * context[p(i)][c]
//
// Dense, aligned to 4 bytes only. No allocation, threads or state.
#pragma once

#include <cstdint>

namespace bramble::kernels {

struct SeparableAttentionShape {
  std::int64_t height = 0;  ///< multiples of patch, both
  std::int64_t width = 0;
  std::int64_t channels = 0;
  std::int64_t patch = 2;

  std::int64_t row() const { return 1 + 2 * channels; }
  std::int64_t places() const { return patch * patch; }
};

/// scores [height * width] (=). `scratch` holds as many floats.
void separable_attention_scores_f32(const SeparableAttentionShape& shape, const float* qkv, float* scores,
                                    float* scratch);

/// context [places][channels] (=), channels [begin, end).
void separable_attention_context_f32(const SeparableAttentionShape& shape, const float* qkv, const float* scores,
                                     std::int64_t begin, std::int64_t end, float* context);

/// y (=), the pixels of rows [row_begin, row_end).
void separable_attention_fwd_f32(const SeparableAttentionShape& shape, std::int64_t row_begin, std::int64_t row_end,
                                 const float* qkv, const float* context, float* y);

/// dcontext [places][channels] (=) sum of dy * max(value, 0), channels [begin, end).
void separable_attention_bwd_context_f32(const SeparableAttentionShape& shape, const float* qkv, const float* dy,
                                         std::int64_t begin, std::int64_t end, float* dcontext);

/// What the data pass reads beside qkv and dy.
struct SeparableAttentionSaved {
  const float* scores;
  const float* context;
  const float* dcontext;
};

/// With delta[p] = sum over c of context[p][c] * dcontext[p][c], the pixels of rows [row_begin, row_end) of
///   dquery[i] = scores[i] * (sum over c of key[i][c] * dcontext[p][c] - delta[p])
///   dkey[i][c] = scores[i] * dcontext[p][c]
///   dvalue[i][c] = value[i][c] > 0 ? dy[i][c] * context[p][c] : 0
/// dqkv (=) may be qkv.
void separable_attention_bwd_data_f32(const SeparableAttentionShape& shape, std::int64_t row_begin,
                                      std::int64_t row_end, const float* qkv, const float* dy,
                                      const SeparableAttentionSaved& saved, float* dqkv);

/// The whole of both, in double.
void separable_attention_fwd_f32_ref(const SeparableAttentionShape& shape, const float* qkv, float* scores,
                                     float* context, float* y);
void separable_attention_bwd_f32_ref(const SeparableAttentionShape& shape, const float* qkv, const float* dy,
                                     float* dqkv);

}  // namespace bramble::kernels
