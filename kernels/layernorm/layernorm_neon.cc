#include "kernels/layernorm/layernorm.h"

#include <algorithm>
#include <cmath>

#include "kernels/simd/partial.h"

namespace bramble::kernels {
namespace {

// Sum of term(lanes, c) over a row, in four accumulators: one would wait for each fmla's 4 cycles. Terms of the tail
// must be zero in its idle lanes.
template <class Term>
inline float row_sum(std::size_t channels, Term&& term) {
  float32x4_t acc[4] = {vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0)};
  std::size_t c = 0;
  for (; c + 16 <= channels; c += 16) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < 4; ++v) acc[v] = term(AllLanes{}, c + 4 * v, acc[v]);
  }
  for_each_vector(c, channels, [&](auto lanes, std::size_t i) { acc[0] = term(lanes, i, acc[0]); });
  return vaddvq_f32(vaddq_f32(vaddq_f32(acc[0], acc[1]), vaddq_f32(acc[2], acc[3])));
}

// The lanes of a tail that hold no channel, set to zero.
inline float32x4_t live(const AllLanes&, float32x4_t vector) { return vector; }
inline float32x4_t live(const FirstLanes& lanes, float32x4_t vector) {
  if (lanes.count < 3) vector = vsetq_lane_f32(0, vector, 2);
  if (lanes.count < 2) vector = vsetq_lane_f32(0, vector, 1);
  return vsetq_lane_f32(0, vector, 3);
}

// `s` holds the row to normalise; y may be s.
void normalise_row(const LayernormForward& in, std::size_t r, const float* s, float* y, float mean) {
  const float32x4_t centre = vdupq_n_f32(mean);
  const float squares = row_sum(in.channels, [&](auto lanes, std::size_t c, float32x4_t acc) {
    const float32x4_t d = live(lanes, vsubq_f32(lanes.load(s + c), centre));
    return vfmaq_f32(acc, d, d);
  });
  const float rstd = 1.0f / std::sqrt(squares / static_cast<float>(in.channels) + in.eps);
  const float32x4_t inverse = vdupq_n_f32(rstd);
  for_each_vector(0, in.channels, [&](auto lanes, std::size_t c) {
    const float32x4_t normal = vmulq_f32(vsubq_f32(lanes.load(s + c), centre), inverse);
    lanes.store(y + c, vfmaq_f32(lanes.load(in.beta + c), normal, lanes.load(in.gamma + c)));
  });
  if (in.mean != nullptr) in.mean[r] = mean;
  if (in.rstd != nullptr) in.rstd[r] = rstd;
}

struct RowTerms {
  float mean_g;         // sum of dy * gamma / C
  float mean_products;  // sum of dy * gamma * xhat / C
};

// One pass over two rows' dy and s: their sums, and their share of dgamma and dbeta, loaded and stored once for both.
template <int Rows, bool Parameters>
void reduce_rows(const LayernormBackward& in, std::size_t row, float* dgamma, float* dbeta, RowTerms* terms) {
  float32x4_t centre[Rows], inverse[Rows], sum[Rows], products[Rows];
#pragma GCC unroll 2
  for (int r = 0; r < Rows; ++r) {
    centre[r] = vdupq_n_f32(in.mean[row + r]);
    inverse[r] = vdupq_n_f32(in.rstd[row + r]);
    sum[r] = products[r] = vdupq_n_f32(0);
  }
  for_each_vector(0, in.channels, [&](auto lanes, std::size_t c) {
    const float32x4_t gamma = lanes.load(in.gamma + c);
    float32x4_t gamma_sum = Parameters ? lanes.load(dgamma + c) : vdupq_n_f32(0);
    float32x4_t beta_sum = Parameters ? lanes.load(dbeta + c) : vdupq_n_f32(0);
#pragma GCC unroll 2
    for (int r = 0; r < Rows; ++r) {
      const std::size_t i = (row + r) * in.channels + c;
      const float32x4_t dy = lanes.load(in.dy + i);
      const float32x4_t normal = vmulq_f32(vsubq_f32(lanes.load(in.s + i), centre[r]), inverse[r]);
      const float32x4_t g = vmulq_f32(dy, gamma);  // zero in a tail's idle lanes, as gamma is
      sum[r] = vaddq_f32(sum[r], g);
      products[r] = vfmaq_f32(products[r], g, normal);
      gamma_sum = vfmaq_f32(gamma_sum, dy, normal);
      beta_sum = vaddq_f32(beta_sum, dy);
    }
    if constexpr (Parameters) {
      lanes.store(dgamma + c, gamma_sum);
      lanes.store(dbeta + c, beta_sum);
    }
  });
  const float count = static_cast<float>(in.channels);
#pragma GCC unroll 2
  for (int r = 0; r < Rows; ++r) terms[r] = {vaddvq_f32(sum[r]) / count, vaddvq_f32(products[r]) / count};
}

template <bool Add>
void data_row(const LayernormBackward& in, std::size_t r, const RowTerms& terms) {
  // dx = rstd * g + ((s - mean) * slope + constant), slope = -rstd^2 * mean(g xhat), constant = -rstd * mean(g).
  const float rstd = in.rstd[r];
  const float32x4_t centre = vdupq_n_f32(in.mean[r]);
  const float32x4_t scale = vdupq_n_f32(rstd);
  const float32x4_t slope = vdupq_n_f32(-rstd * rstd * terms.mean_products);
  const float32x4_t constant = vdupq_n_f32(-rstd * terms.mean_g);
  for_each_vector(0, in.channels, [&](auto lanes, std::size_t c) {
    const std::size_t i = r * in.channels + c;
    const float32x4_t offset = vfmaq_f32(constant, vsubq_f32(lanes.load(in.s + i), centre), slope);
    float32x4_t dx = vfmaq_f32(offset, vmulq_f32(lanes.load(in.dy + i), lanes.load(in.gamma + c)), scale);
    if constexpr (Add) dx = vaddq_f32(dx, lanes.load(in.ds + i));
    lanes.store(in.dx + i, dx);
  });
}

template <int Rows>
void backward_rows(const LayernormBackward& in, std::size_t row, float* dgamma, float* dbeta) {
  RowTerms terms[Rows];
  if (dgamma != nullptr) {
    reduce_rows<Rows, true>(in, row, dgamma, dbeta, terms);
  } else {
    reduce_rows<Rows, false>(in, row, nullptr, nullptr, terms);
  }
  if (in.dx == nullptr) return;
  for (int r = 0; r < Rows; ++r) {
    if (in.ds != nullptr) {
      data_row<true>(in, row + r, terms[r]);
    } else {
      data_row<false>(in, row + r, terms[r]);
    }
  }
}

}  // namespace

void layernorm_fwd_f32(const LayernormForward& operands, std::size_t row_begin, std::size_t row_end) {
  const std::size_t channels = operands.channels;
  for (std::size_t r = row_begin; r < row_end; ++r) {
    const float* x = operands.x + r * channels;
    float* y = operands.y + r * operands.y_step();
    float sum;
    const float* normalised = x;
    if (operands.residual == nullptr) {
      sum = row_sum(channels, [&](auto lanes, std::size_t c, float32x4_t acc) {
        return vaddq_f32(acc, lanes.load(x + c));
      });
    } else {
      // A row of s that nobody wants is kept in y's, which is its own until it is overwritten.
      float* s = operands.s != nullptr ? operands.s + r * channels : y;
      const float* residual = operands.residual + r * channels;
      sum = row_sum(channels, [&](auto lanes, std::size_t c, float32x4_t acc) {
        const float32x4_t value = vaddq_f32(lanes.load(x + c), lanes.load(residual + c));
        lanes.store(s + c, value);
        return vaddq_f32(acc, value);
      });
      normalised = s;
    }
    normalise_row(operands, r, normalised, y, sum / static_cast<float>(channels));
  }
}

void layernorm_bwd_f32(const LayernormBackward& operands, std::size_t row_begin, std::size_t row_end, float* dgamma,
                       float* dbeta) {
  if (dgamma != nullptr) {
    std::fill_n(dgamma, operands.channels, 0.0f);
    std::fill_n(dbeta, operands.channels, 0.0f);
  }
  std::size_t r = row_begin;
  for (; r + 2 <= row_end; r += 2) backward_rows<2>(operands, r, dgamma, dbeta);
  for (; r < row_end; ++r) backward_rows<1>(operands, r, dgamma, dbeta);
}

}  // namespace bramble::kernels
