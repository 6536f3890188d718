#include <algorithm>

#include "kernels/batchnorm/way_in_neon.h"
#include "kernels/conv2d/pack_normalised.h"
#include "kernels/gemm/pack_rows_neon.h"
#include "kernels/simd/partial.h"

namespace bramble::kernels {
namespace {

constexpr std::int64_t kRows = kGemmTileRows;

// Four channels of one image, gated.
template <Activation A>
struct Gated : Normalised<A> {
  template <class Lanes>
  Gated(const Lanes& lanes, const Normalisation* normal, const float* gate, std::size_t c)
      : Normalised<A>(lanes, normal, c), factor(lanes.load(gate + c)) {}
  float32x4_t operator()(float32x4_t x) const { return vmulq_f32(Normalised<A>::operator()(x), factor); }
  float32x4_t factor;
};

// Calls run(make), where make(lanes, c) is the Normalised, or Gated of row `row`'s image, of channels from c on.
template <Activation A, class Run>
void dispatch_gate(const Normalisation& normal, std::int64_t row, Run run) {
  if (normal.gate.values == nullptr)
    return run([&normal](const auto& lanes, std::size_t c) { return Normalised<A>(lanes, &normal, c); });
  run([&normal, gate = normal.gate.of(row)](const auto& lanes, std::size_t c) {
    return Gated<A>(lanes, &normal, gate, c);
  });
}

// One panel: `valid` rows of eight, the others zeros, of any images.
template <Activation A>
void pack_panel(const Normalisation& normal, std::int64_t row, std::int64_t valid, std::int64_t depth,
                const float* source, std::int64_t row_stride, float* panel) {
  const auto quad = [&](const auto& lanes, std::int64_t k, std::int64_t first, float32x4_t(&r)[4]) {
    const Normalised<A> channels(lanes, &normal, static_cast<std::size_t>(k));
    for (std::int64_t i = 0; i < 4; ++i) {
      const bool exists = first + i < valid;
      r[i] = exists ? channels(lanes.load(source + (first + i) * row_stride + k)) : vdupq_n_f32(0);
      if (exists && normal.gate.values) r[i] = vmulq_f32(r[i], lanes.load(normal.gate.of(row + first + i) + k));
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

// All eight rows exist, of one image, and depth is a multiple of 4: nothing to ask within the loop.
template <class MakeChannels>
void pack_whole_panel(const MakeChannels& make, std::int64_t depth, const float* source, std::int64_t row_stride,
                      float* panel) {
  for (std::int64_t k = 0; k < depth; k += 4, panel += 4 * kRows) {
    const auto channels = make(AllLanes{}, static_cast<std::size_t>(k));
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
void pack_a(const Normalisation& normal, std::int64_t rows, std::int64_t depth, const float* source,
            std::int64_t row_stride, float* panels) {
  for (std::int64_t i = 0; i < rows; i += kRows, source += kRows * row_stride, panels += kRows * depth) {
    const bool one_image = normal.gate.values == nullptr || normal.gate.image_end(i) - i >= kRows;
    if (rows - i >= kRows && depth % 4 == 0 && one_image) {
      dispatch_gate<A>(normal, i, [&](const auto& make) { pack_whole_panel(make, depth, source, row_stride, panels); });
    } else {
      pack_panel<A>(normal, i, std::min(rows - i, kRows), depth, source, row_stride, panels);
    }
  }
}

// Eight channels of `depth` pixels of one image, or the last ones.
template <class MakeChannels>
void pack_trans_panel(const MakeChannels& make, std::int64_t valid, std::int64_t depth, const float* source,
                      std::int64_t depth_stride, float* panel) {
  if (valid == kRows) {
    const auto low = make(AllLanes{}, 0), high = make(AllLanes{}, 4);
    for (std::int64_t k = 0; k < depth; ++k, source += depth_stride, panel += kRows) {
      vst1q_f32(panel, low(vld1q_f32(source)));
      vst1q_f32(panel + 4, high(vld1q_f32(source + 4)));
    }
    return;
  }
  std::fill_n(panel, kRows * depth, 0.0f);
  for_each_vector(0, static_cast<std::size_t>(valid), [&](const auto& lanes, std::size_t i) {
    const auto channels = make(lanes, i);
    for (std::int64_t k = 0; k < depth; ++k)
      lanes.store(panel + k * kRows + i, channels(lanes.load(source + k * depth_stride + i)));
  });
}

template <Activation A>
void pack_a_trans(const Normalisation& normal, std::int64_t rows, std::int64_t depth, const float* source,
                  std::int64_t depth_stride, float* panels) {
  for (std::int64_t i = 0; i < rows; i += kRows, panels += kRows * depth) {
    const Normalisation channels = normal.from(i);
    for (std::int64_t k = 0, end = depth; k < depth; k = end) {
      if (normal.gate.values) end = std::min<std::int64_t>(depth, normal.gate.image_end(k));
      dispatch_gate<A>(channels, k, [&](const auto& make) {
        pack_trans_panel(make, std::min(rows - i, kRows), end - k, source + k * depth_stride + i, depth_stride,
                         panels + k * kRows);
      });
    }
  }
}

}  // namespace

void pack_a_normalised_f32(const Normalisation& normalisation, std::int64_t rows, std::int64_t depth,
                           const float* source, std::int64_t row_stride, float* panels) {
  dispatch_activation(normalisation.activation, [&]<Activation A>() {
    pack_a<A>(normalisation, rows, depth, source, row_stride, panels);
  });
}

void pack_a_trans_normalised_f32(const Normalisation& normalisation, std::int64_t rows, std::int64_t depth,
                                 const float* source, std::int64_t depth_stride, float* panels) {
  dispatch_activation(normalisation.activation, [&]<Activation A>() {
    pack_a_trans<A>(normalisation, rows, depth, source, depth_stride, panels);
  });
}

}  // namespace bramble::kernels
