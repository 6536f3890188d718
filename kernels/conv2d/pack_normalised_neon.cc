#include <algorithm>

#include "kernels/activation/activation_neon.h"
#include "kernels/conv2d/pack_normalised.h"
#include "kernels/gemm/pack_rows_neon.h"
#include "kernels/simd/partial.h"

namespace bramble::kernels {
namespace {

constexpr std::int64_t kRows = kGemmTileRows;

// Four channels' normalisation.
template <Activation A>
struct Channels {
  template <class Lanes>
  Channels(const Lanes& lanes, const BatchnormAffine& affine, std::int64_t c)
      : mean(lanes.load(affine.mean + c)), scale(lanes.load(affine.scale + c)), beta(lanes.load(affine.beta + c)) {}
  float32x4_t operator()(float32x4_t x) const { return activate_f32x4<A>(vfmaq_f32(beta, vsubq_f32(x, mean), scale)); }
  float32x4_t mean, scale, beta;
};

// One panel: `valid` rows of eight, the others zeros.
template <Activation A>
void pack_panel(const BatchnormAffine& affine, std::int64_t valid, std::int64_t depth, const float* source,
                std::int64_t row_stride, float* panel) {
  const auto quad = [&](const auto& lanes, std::int64_t k, std::int64_t first, float32x4_t(&r)[4]) {
    const Channels<A> channels(lanes, affine, k);
    for (std::int64_t i = 0; i < 4; ++i) {
      const bool exists = first + i < valid;
      r[i] = exists ? channels(lanes.load(source + (first + i) * row_stride + k)) : vdupq_n_f32(0);
    }
    transpose_4x4_f32(r);
  };
  for_each_vector(0, static_cast<std::size_t>(depth), [&](const auto& lanes, std::size_t k) {
    const auto at = static_cast<std::int64_t>(k);
    float32x4_t low[4], high[4];
    quad(lanes, at, 0, low);
    quad(lanes, at, 4, high);
    float* to = panel + at * kRows;
    const std::int64_t steps = std::min<std::int64_t>(4, depth - at);
    for (std::int64_t i = 0; i < steps; ++i) {
      vst1q_f32(to + i * kRows, low[i]);
      vst1q_f32(to + i * kRows + 4, high[i]);
    }
  });
}

// All eight rows exist, and depth is a multiple of 4: nothing to ask within the loop.
template <Activation A>
void pack_whole_panel(const BatchnormAffine& affine, std::int64_t depth, const float* source, std::int64_t row_stride,
                      float* panel) {
  for (std::int64_t k = 0; k < depth; k += 4, panel += 4 * kRows) {
    const Channels<A> channels(AllLanes{}, affine, k);
    const float* from = source + k;
#pragma GCC unroll 2
    for (int half = 0; half < 2; ++half) {
      float32x4_t r[4];
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i, from += row_stride) r[i] = channels(vld1q_f32(from));
      transpose_4x4_f32(r);
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) vst1q_f32(panel + i * kRows + 4 * half, r[i]);
    }
  }
}

template <Activation A>
void pack_a(const BatchnormAffine& affine, std::int64_t rows, std::int64_t depth, const float* source,
            std::int64_t row_stride, float* panels) {
  for (std::int64_t i = 0; i < rows; i += kRows, source += kRows * row_stride, panels += kRows * depth) {
    if (rows - i >= kRows && depth % 4 == 0) {
      pack_whole_panel<A>(affine, depth, source, row_stride, panels);
    } else {
      pack_panel<A>(affine, std::min(rows - i, kRows), depth, source, row_stride, panels);
    }
  }
}

// Eight channels of `depth` pixels, or the last ones.
template <Activation A>
void pack_trans_panel(const BatchnormAffine& affine, std::int64_t valid, std::int64_t depth, const float* source,
                      std::int64_t depth_stride, float* panel) {
  if (valid == kRows) {
    const Channels<A> low(AllLanes{}, affine, 0), high(AllLanes{}, affine, 4);
    for (std::int64_t k = 0; k < depth; ++k, source += depth_stride, panel += kRows) {
      vst1q_f32(panel, low(vld1q_f32(source)));
      vst1q_f32(panel + 4, high(vld1q_f32(source + 4)));
    }
    return;
  }
  std::fill_n(panel, kRows * depth, 0.0f);
  for_each_vector(0, static_cast<std::size_t>(valid), [&](const auto& lanes, std::size_t i) {
    const Channels<A> channels(lanes, affine, static_cast<std::int64_t>(i));
    for (std::int64_t k = 0; k < depth; ++k)
      lanes.store(panel + k * kRows + i, channels(lanes.load(source + k * depth_stride + i)));
  });
}

template <Activation A>
void pack_a_trans(const BatchnormAffine& affine, std::int64_t rows, std::int64_t depth, const float* source,
                  std::int64_t depth_stride, float* panels) {
  for (std::int64_t i = 0; i < rows; i += kRows, panels += kRows * depth) {
    const Normalisation channels = Normalisation{A, affine}.from(i);
    pack_trans_panel<A>(channels.affine, std::min(rows - i, kRows), depth, source + i, depth_stride, panels);
  }
}

}  // namespace

void pack_a_normalised_f32(const Normalisation& normalisation, std::int64_t rows, std::int64_t depth,
                           const float* source, std::int64_t row_stride, float* panels) {
  dispatch_activation(normalisation.activation, [&]<Activation A>() {
    pack_a<A>(normalisation.affine, rows, depth, source, row_stride, panels);
  });
}

void pack_a_trans_normalised_f32(const Normalisation& normalisation, std::int64_t rows, std::int64_t depth,
                                 const float* source, std::int64_t depth_stride, float* panels) {
  dispatch_activation(normalisation.activation, [&]<Activation A>() {
    pack_a_trans<A>(normalisation.affine, rows, depth, source, depth_stride, panels);
  });
}

}  // namespace bramble::kernels
