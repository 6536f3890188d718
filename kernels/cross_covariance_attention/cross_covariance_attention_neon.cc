// Covariances are the GEMM's with the tokens as depth, a block of rows packed at a time; everything that has a row for each
// token is its rows form, on the operands where they lie. What is between them has a row for each channel of the head.
#include "kernels/cross_covariance_attention/cross_covariance_attention.h"

#include <algorithm>
#include <cmath>

#include "kernels/activation/activation_neon.h"
#include "kernels/attention/scratch.h"
#include "kernels/gemm/gemm.h"
#include "kernels/simd/partial.h"

namespace bramble::kernels {
namespace {

using attention::ScratchCursor;

/// Rows at a time: packed twice, at 73 channels, they are 56 KiB of L1.
constexpr std::int64_t kBlockRows = 96;
constexpr float kSmallestNorm = 1e-12F;

/// The parts of scratch that both passes have.
struct Scratch {
  float* left;    ///< A panels of a block of rows, transposed
  float* right;   ///< B panels of a block of rows
  float* panels;  ///< B panels of a [dim][dim] matrix
  float* p;       ///< [dim][width]

  Scratch(const CrossCovarianceShape& shape, ScratchCursor& cursor) {
    const std::int64_t rows = std::min(kBlockRows, shape.length);
    left = cursor.take(gemm_a_elements(shape.dim, rows));
    right = cursor.take(gemm_b_elements(rows, shape.dim));
    panels = cursor.take(gemm_b_elements(shape.dim, shape.dim));
    p = cursor.take(shape.dim * cross_covariance_width(shape.dim));
  }
};

struct BackwardScratch : Scratch {
  float* m;             ///< dp, then m, [dim][width]
  float* more_panels;   ///< B panels of m transposed
  float* terms_q;       ///< what dq takes of q, [width]
  float* terms_k;       ///< what dk takes of k, [width]

  BackwardScratch(const CrossCovarianceShape& shape, ScratchCursor& cursor) : Scratch(shape, cursor) {
    const std::int64_t width = cross_covariance_width(shape.dim);
    m = cursor.take(shape.dim * width);
    more_panels = cursor.take(gemm_b_elements(shape.dim, shape.dim));
    terms_q = cursor.take(width);
    terms_k = cursor.take(width);
  }
};

std::size_t size(std::int64_t count) { return static_cast<std::size_t>(count); }

/// Calls run(first, count) for each block of rows.
template <class Run>
void for_each_block(const CrossCovarianceShape& shape, Run run) {
  for (std::int64_t first = 0; first < shape.length; first += kBlockRows)
    run(first, std::min(kBlockRows, shape.length - first));
}

template <class Value>
MatrixRows<Value> rows_from(const MatrixRows<Value>& matrix, std::int64_t first) {
  return {matrix.row(first), matrix.stride};
}

/// product[i][j] (=) sum over all rows l of a[l][i] * b[l][j]; [dim][width], zeros from column dim on.
void multiply_columns(const CrossCovarianceShape& shape, const MatrixRows<const float>& a,
                      const MatrixRows<const float>& b, const Scratch& s, float* product) {
  const std::int64_t width = cross_covariance_width(shape.dim);
  for_each_block(shape, [&](std::int64_t first, std::int64_t count) {
    gemm_pack_a_trans_f32(shape.dim, count, a.row(first), a.stride, s.left);
    gemm_pack_b_f32(count, shape.dim, b.row(first), b.stride, s.right);
    gemm_packed_f32(shape.dim, width, count, s.left, s.right, product, width, first > 0);
  });
}

/// c[l][j] (=, or += with accumulate) sum over i of a[l][i] * B[i][j], both `dim` wide.
void multiply_rows(std::int64_t rows, std::int64_t dim, const MatrixRows<const float>& a, const float* panels,
                   const MatrixRows<float>& c, bool accumulate) {
  GemmRows product;
  product.rows = rows;
  product.cols = product.depth = product.b_depth = dim;
  product.depth_step = kGemmRowsDepth;
  product.a = a.data;
  product.a_stride = a.stride;
  product.b = panels;
  product.c = c.data;
  product.c_stride = c.stride;
  product.accumulate = accumulate;
  gemm_rows_f32(product);
}

/// inverse[i] (=) 1 / max(norm of column i, 1e-12). Sums of a block of rows stay in registers.
void invert_norms(const CrossCovarianceShape& shape, const MatrixRows<const float>& x, float* inverse) {
  std::fill_n(inverse, shape.dim, 0.0F);
  for_each_block(shape, [&](std::int64_t first, std::int64_t count) {
    for_each_vector(0, size(shape.dim), [&](auto lanes, std::size_t i) {
      float32x4_t sum = vdupq_n_f32(0);
      for (std::int64_t l = first; l < first + count; ++l) {
        const float32x4_t value = lanes.load(x.row(l) + i);
        sum = vfmaq_f32(sum, value, value);
      }
      lanes.store(inverse + i, vaddq_f32(lanes.load(inverse + i), sum));
    });
  });
  for (std::int64_t i = 0; i < shape.dim; ++i) inverse[i] = 1 / std::max(std::sqrt(inverse[i]), kSmallestNorm);
}

/// p[i] (=) softmax of temperature * cosines[i]; zeros from column dim on.
void softmax_rows(std::int64_t dim, float temperature, const float* cosines, float* p) {
  const std::int64_t width = cross_covariance_width(dim);
  for (std::int64_t i = 0; i < dim; ++i, cosines += width, p += width) {
    const auto [least, most] = std::minmax_element(cosines, cosines + dim);
    const float32x4_t shift = vdupq_n_f32(-temperature * (temperature < 0 ? *least : *most));
    for (std::int64_t j = 0; j < width; j += 4)
      vst1q_f32(p + j, exp_f32x4(vfmaq_n_f32(shift, vld1q_f32(cosines + j), temperature)));
    std::fill(p + dim, p + width, 0.0F);
    float32x4_t sum = vdupq_n_f32(0);
    for (std::int64_t j = 0; j < width; j += 4) sum = vaddq_f32(sum, vld1q_f32(p + j));
    const float inverse = 1 / vaddvq_f32(sum);
    for (std::int64_t j = 0; j < width; j += 4) vst1q_f32(p + j, vmulq_n_f32(vld1q_f32(p + j), inverse));
  }
}

/// Of dp in `m`: m (=), terms_q and terms_k (=); returns dtemperature.
float differentiate_cosines(const CrossCovarianceShape& shape, float temperature,
                            const CrossCovarianceSaved<const float>& saved, const BackwardScratch& s) {
  const std::int64_t dim = shape.dim, width = cross_covariance_width(dim);
  float dtemperature = 0;
  std::fill_n(s.terms_k, width, 0.0F);
  for (std::int64_t i = 0; i < dim; ++i) {
    const float* const p = s.p + i * width;
    const float* const cosines = saved.cosines + i * width;
    float* const m = s.m + i * width;
    float32x4_t weighted = vdupq_n_f32(0), along = vdupq_n_f32(0);
    for (std::int64_t j = 0; j < width; j += 4) weighted = vfmaq_f32(weighted, vld1q_f32(p + j), vld1q_f32(m + j));
    const float32x4_t mean = vdupq_n_f32(vaddvq_f32(weighted));
    const float32x4_t factor = vdupq_n_f32(temperature * saved.inverse_norms_q[i]);
    for_each_vector(0, size(dim), [&](auto lanes, std::size_t j) {
      const float32x4_t da = vmulq_f32(lanes.load(p + j), vsubq_f32(lanes.load(m + j), mean));
      const float32x4_t term = vmulq_f32(da, lanes.load(cosines + j));
      along = vaddq_f32(along, term);
      lanes.store(s.terms_k + j, vaddq_f32(lanes.load(s.terms_k + j), term));
      lanes.store(m + j, vmulq_f32(vmulq_f32(da, factor), lanes.load(saved.inverse_norms_k + j)));
    });
    s.terms_q[i] = vaddvq_f32(along);
    dtemperature += s.terms_q[i];
  }
  // A norm below the smallest is a constant.
  const auto finish = [&](float* terms, const float* inverse) {
    for (std::int64_t i = 0; i < dim; ++i)
      terms[i] = inverse[i] < 1 / kSmallestNorm ? temperature * inverse[i] * inverse[i] * terms[i] : 0;
  };
  finish(s.terms_q, saved.inverse_norms_q);
  finish(s.terms_k, saved.inverse_norms_k);
  return dtemperature;
}

/// dx[l][i] (=) sum over j of other[l][j] * B[j][i] - x[l][i] * terms[i].
void differentiate_normalised(const CrossCovarianceShape& shape, const MatrixRows<const float>& x, const float* terms,
                              const MatrixRows<const float>& other, const float* panels, const MatrixRows<float>& dx) {
  for_each_block(shape, [&](std::int64_t first, std::int64_t count) {
    for (std::int64_t l = first; l < first + count; ++l) {
      for_each_vector(0, size(shape.dim), [&](auto lanes, std::size_t i) {
        lanes.store(dx.row(l) + i, vnegq_f32(vmulq_f32(lanes.load(x.row(l) + i), lanes.load(terms + i))));
      });
    }
    multiply_rows(count, shape.dim, rows_from(other, first), panels, rows_from(dx, first), true);
  });
}

}  // namespace

std::int64_t cross_covariance_attention_fwd_scratch_f32(const CrossCovarianceShape& shape) {
  ScratchCursor cursor(nullptr);
  Scratch(shape, cursor);
  return cursor.floats();
}

void cross_covariance_attention_fwd_f32(const CrossCovarianceShape& shape, const HeadInputs& inputs,
                                        float temperature, MatrixRows<float> y,
                                        const CrossCovarianceSaved<float>& saved, float* scratch) {
  ScratchCursor cursor(scratch);
  const Scratch s(shape, cursor);
  const std::int64_t dim = shape.dim, width = cross_covariance_width(dim);
  invert_norms(shape, inputs.q, saved.inverse_norms_q);
  invert_norms(shape, inputs.k, saved.inverse_norms_k);
  multiply_columns(shape, inputs.q, inputs.k, s, saved.cosines);
  for (std::int64_t i = 0; i < dim; ++i) {
    float* const row = saved.cosines + i * width;
    const float32x4_t factor = vdupq_n_f32(saved.inverse_norms_q[i]);
    for_each_vector(0, size(dim), [&](auto lanes, std::size_t j) {
      lanes.store(row + j, vmulq_f32(vmulq_f32(lanes.load(row + j), factor), lanes.load(saved.inverse_norms_k + j)));
    });
  }
  softmax_rows(dim, temperature, saved.cosines, s.p);
  gemm_pack_b_trans_f32(dim, dim, s.p, width, s.panels);
  multiply_rows(shape.length, dim, inputs.v, s.panels, y, false);
}

std::int64_t cross_covariance_attention_bwd_scratch_f32(const CrossCovarianceShape& shape) {
  ScratchCursor cursor(nullptr);
  BackwardScratch(shape, cursor);
  return cursor.floats();
}

float cross_covariance_attention_bwd_f32(const CrossCovarianceShape& shape, const HeadInputs& inputs,
                                         float temperature, MatrixRows<const float> dy,
                                         const CrossCovarianceSaved<const float>& saved,
                                         const HeadGradients& gradients, float* scratch) {
  ScratchCursor cursor(scratch);
  const BackwardScratch s(shape, cursor);
  const std::int64_t dim = shape.dim, width = cross_covariance_width(dim);
  softmax_rows(dim, temperature, saved.cosines, s.p);
  gemm_pack_b_f32(dim, dim, s.p, width, s.panels);
  multiply_rows(shape.length, dim, dy, s.panels, gradients.dv, false);
  multiply_columns(shape, dy, inputs.v, s, s.m);
  const float dtemperature = differentiate_cosines(shape, temperature, saved, s);
  gemm_pack_b_f32(dim, dim, s.m, width, s.panels);
  gemm_pack_b_trans_f32(dim, dim, s.m, width, s.more_panels);
  differentiate_normalised(shape, inputs.q, s.terms_q, inputs.k, s.more_panels, gradients.dq);
  differentiate_normalised(shape, inputs.k, s.terms_k, inputs.q, s.panels, gradients.dk);
  return dtemperature;
}

}  // namespace bramble::kernels
