// Backward: P is recomputed for a block of queries as in the forward, beside dP in the same form, [keys][queries of
// the block]. dS's columns then weight the keys (dQ), the rows of P and dS the block's dY and Q (dV, dK). What has the
// scale as a factor gets it from dY, packed for dP times it: dP, delta and dS are all kept times the scale.
#include <algorithm>

#include "kernels/attention/attention.h"
#include "kernels/attention/products.h"
#include "kernels/attention/scratch.h"
#include "kernels/attention/softmax_bwd_neon.h"

namespace bramble::kernels {
namespace {

using attention::ScratchCursor;

/// Queries of a block: deep enough that adding to dK and dV costs a twelfth of the product, shallow enough that a
/// block's P and dS stay in L2 beside the keys and values.
constexpr std::int64_t kLargestBlock = 72;

std::int64_t block_of(const AttentionShape& shape) {
  return 4 * attention::vectors_of_block(shape.queries, kLargestBlock / 4);
}

struct BackwardScratch {
  float* panels;  ///< of the block's queries or dY
  float* p;       ///< [keys][block]
  float* ds;      ///< likewise
  float* shift;   ///< [block]: -lse
  float* delta;   ///< [block], times the scale

  BackwardScratch(const AttentionShape& shape, ScratchCursor& cursor) {
    const std::int64_t block = block_of(shape);
    panels = cursor.take(std::max(shape.key_dim, shape.value_dim) * block);
    p = cursor.take(shape.keys * block);
    ds = cursor.take(shape.keys * block + attention::kReadBeyond);
    shift = cursor.take(block);
    delta = cursor.take(block);
  }
};

void backward(const AttentionShape& shape, const AttentionInputs& inputs, const AttentionSaved& saved,
              const AttentionGradients& gradients, const BackwardScratch& s) {
  const std::int64_t block = block_of(shape), keys = shape.keys;
  const std::int64_t key_vectors = shape.key_dim / 4, value_vectors = shape.value_dim / 4;
  const MatrixRows<float> p{s.p, block}, ds{s.ds, block};
  for (std::int64_t first = 0; first < shape.queries; first += block) {
    const std::int64_t count = std::min(block, shape.queries - first), vectors = (count + 3) / 4;
    attention::pack_lanes(inputs.q, first, count, shape.key_dim, shape.scale, s.panels);
    attention::multiply_keys({.count = keys,
                              .vectors = vectors,
                              .depth = shape.key_dim,
                              .keys = inputs.k,
                              .panels = s.panels,
                              .bias = attention::from_query(inputs.bias, first),
                              .mask = attention::from_query(inputs.mask, first),
                              .scores = p});
    attention::pack_lanes(saved.dy, first, count, shape.value_dim, shape.scale, s.panels);
    attention::multiply_keys({.count = keys,
                              .vectors = vectors,
                              .depth = shape.value_dim,
                              .keys = inputs.v,
                              .panels = s.panels,
                              .scores = ds});
    std::fill_n(s.shift, 4 * vectors, 0.0f);
    for (std::int64_t i = 0; i < count; ++i) s.shift[i] = -saved.lse[first + i];
    attention::multiply_outputs(shape, saved, first, count, s.delta);
    attention::differentiate(
        keys, vectors, shape.scale,
        {p, ds, attention::from_query(gradients.dbias, first), reinterpret_cast<const float(*)[4]>(s.shift),
         reinterpret_cast<const float(*)[4]>(s.delta)});
    if (gradients.dq.data) {
      attention::combine_keys({.count = count,
                               .vectors = key_vectors,
                               .depth = keys,
                               .weights = {ds.data, ds.stride},
                               .rows = inputs.k,
                               .target = gradients.dq,
                               .first = first});
    }
    const auto add_block = [&](std::int64_t target_vectors, const MatrixRows<float>& weights,
                               const ListedRows<const float>& rows, const ListedRows<float>& target) {
      if (target.data == nullptr) return;
      attention::multiply_weights({.count = keys,
                                   .vectors = target_vectors,
                                   .depth = count,
                                   .weights = {weights.data, weights.stride},
                                   .rows = rows,
                                   .first = first,
                                   .target = target,
                                   .accumulate = first > 0});
    };
    add_block(value_vectors, p, saved.dy, gradients.dv);
    add_block(key_vectors, ds, inputs.q, gradients.dk);
  }
}

/// A copy of the operands in whole vectors.
struct PaddedBackward {
  AttentionInputs inputs;
  AttentionSaved saved;
  AttentionGradients gradients;

  PaddedBackward(const AttentionShape& shape, const AttentionInputs& given, const AttentionSaved& given_saved,
                 const AttentionGradients& given_gradients, ScratchCursor& cursor)
      : inputs(given), saved(given_saved), gradients(given_gradients) {
    inputs.q = cursor.pad(shape.queries, shape.key_dim, given.q);
    inputs.k = cursor.pad(shape.keys, shape.key_dim, given.k);
    inputs.v = cursor.pad(shape.keys, shape.value_dim, given.v);
    saved.y = cursor.pad(shape.queries, shape.value_dim, given_saved.y);
    saved.dy = cursor.pad(shape.queries, shape.value_dim, given_saved.dy);
    const auto replace = [&](ListedRows<float>& target, std::int64_t rows, std::int64_t dim) {
      const ListedRows<float> own = cursor.take_rows(rows, dim);
      if (target.data != nullptr) target = own;
    };
    replace(gradients.dq, shape.queries, shape.key_dim);
    replace(gradients.dk, shape.keys, shape.key_dim);
    replace(gradients.dv, shape.keys, shape.value_dim);
  }
};

}  // namespace

std::int64_t attention_bwd_scratch_f32(const AttentionShape& shape) {
  ScratchCursor cursor(nullptr);
  BackwardScratch(attention::in_whole_vectors(shape), cursor);
  if (!attention::has_whole_vectors(shape)) PaddedBackward(shape, {}, {}, {}, cursor);
  return cursor.floats();
}

void attention_bwd_f32(const AttentionShape& shape, const AttentionInputs& inputs, const AttentionSaved& saved,
                       const AttentionGradients& gradients, float* scratch) {
  ScratchCursor cursor(scratch);
  const AttentionShape whole = attention::in_whole_vectors(shape);
  const BackwardScratch s(whole, cursor);
  if (attention::has_whole_vectors(shape)) return backward(shape, inputs, saved, gradients, s);
  const PaddedBackward padded(shape, inputs, saved, gradients, cursor);
  backward(whole, padded.inputs, padded.saved, padded.gradients, s);
  attention::copy_rows(0, shape.queries, shape.key_dim, padded.gradients.dq, gradients.dq);
  attention::copy_rows(0, shape.keys, shape.key_dim, padded.gradients.dk, gradients.dk);
  attention::copy_rows(0, shape.keys, shape.value_dim, padded.gradients.dv, gradients.dv);
}

}  // namespace bramble::kernels
