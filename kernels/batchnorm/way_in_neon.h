// How a kernel's template reads an x that may come through a BatchNorm. Include from _neon.cc files only.
#pragma once

#include <cstddef>

#include "kernels/activation/activation_neon.h"
#include "kernels/batchnorm/batchnorm.h"

namespace bramble::kernels {

/// As it is.
struct Plain {
  template <class Lanes>
  Plain(const Lanes&, const Normalisation*, std::size_t) {}
  float32x4_t operator()(float32x4_t x) const { return x; }
};

/// f(fma(x - mean, scale, beta)) of the channels from c on.
template <Activation A>
struct Normalised {
  template <class Lanes>
  Normalised(const Lanes& lanes, const Normalisation* normal, std::size_t c)
      : mean(lanes.load(normal->affine.mean + c)),
        scale(lanes.load(normal->affine.scale + c)),
        beta(lanes.load(normal->affine.beta + c)) {}
  float32x4_t operator()(float32x4_t x) const { return activate_f32x4<A>(vfmaq_f32(beta, vsubq_f32(x, mean), scale)); }
  float32x4_t mean, scale, beta;
};

/// Calls run.operator()<Plain or Normalised<f>>(); `normal` is null where x is as it is.
template <class Run>
void dispatch_way_in(const Normalisation* normal, Run run) {
  if (normal == nullptr) return run.template operator()<Plain>();
  dispatch_activation(normal->activation, [&]<Activation A>() { run.template operator()<Normalised<A>>(); });
}

}  // namespace bramble::kernels
