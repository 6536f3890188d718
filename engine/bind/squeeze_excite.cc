#include "engine/bind/squeeze_excite.h"

#include <algorithm>

#include "engine/bind/linear_product.h"
#include "engine/bind/ops.h"
#include "engine/bind/slices.h"

namespace bramble::engine {
namespace {

using enum graph::SqueezeExcite::Input;
using enum graph::SqueezeExcite::Output;

// Mean, hidden features and gate: outputs where the backward reads them, else in the shared scratch.
struct Vectors {
  Vectors(const SqueezeExciteImages& images, const Operands& o) {
    auto* scratch = reinterpret_cast<float*>(o.shared);
    const auto place = [&](int output, std::int64_t elements) {
      float* const here = scratch;
      scratch += elements;
      return o.out<float>(output) ? o.out<float>(output) : here;
    };
    mean = place(kMean, images.batch * images.channels);
    hidden = place(kHidden, images.batch * images.reduced);
    gate = place(kGate, images.batch * images.channels);
  }
  static std::size_t bytes(const SqueezeExciteImages& images) {
    return static_cast<std::size_t>(images.batch * (2 * images.channels + images.reduced)) * sizeof(float);
  }
  float *mean, *hidden, *gate;
};

Phase pool_phase(const SqueezeExciteImages& images) {
  return {images.sum_tasks(), [=](const Operands& o, std::int64_t task, std::byte* scratch) {
            const kernels::Normalisation normal = images.normal(o, kMeanVector);
            const std::int64_t n = images.image(task);
            const auto begin = static_cast<std::size_t>(images.channel_begin(task));
            const auto end = static_cast<std::size_t>(images.channel_end(task));
            auto* const sums = reinterpret_cast<double*>(scratch);
            kernels::squeeze_excite_fwd_pool_f32(images.source(o.in<float>(kX), n, normal),
                                                 static_cast<std::size_t>(images.pixels), begin, end, sums);
            float* const mean = Vectors(images, o).mean + n * images.channels;
            for (std::size_t c = begin; c < end; ++c)
              mean[c] = static_cast<float>(sums[c] / static_cast<double>(images.pixels));
          }};
}

Phase reduce_phase(const SqueezeExciteImages& images, kernels::Activation activation) {
  const LinearProduct product(images.batch, images.reduced, images.channels);
  return {product.tasks(), [=](const Operands& o, std::int64_t task, std::byte*) {
            const Vectors v(images, o);
            product.run(task, v.mean, o.in<float>(kReduceWeight), v.hidden,
                        {o.in<float>(kReduceBias), nullptr, o.out<float>(kBeforeActivation), activation});
          }};
}

Phase expand_phase(const SqueezeExciteImages& images, kernels::Activation gate) {
  const LinearProduct product(images.batch, images.channels, images.reduced);
  return {product.tasks(), [=](const Operands& o, std::int64_t task, std::byte*) {
            const Vectors v(images, o);
            product.run(task, v.hidden, o.in<float>(kExpandWeight), v.gate,
                        {o.in<float>(kExpandBias), nullptr, nullptr, gate});
          }};
}

Phase scale_phase(const SqueezeExciteImages& images) {
  const Slices slices =
      slice_rows(static_cast<std::size_t>(images.batch * images.pixels), static_cast<std::size_t>(images.channels));
  return {slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
            const kernels::Normalisation normal = images.normal(o, kMeanVector);
            const float* const gate = Vectors(images, o).gate;
            const auto last = static_cast<std::int64_t>(slices.end(task));
            for (auto row = static_cast<std::int64_t>(slices.begin(task)), end = row; row < last; row = end) {
              const std::int64_t n = row / images.pixels, first = n * images.pixels;
              end = std::min(last, first + images.pixels);
              kernels::squeeze_excite_fwd_scale_f32(
                  images.source(o.in<float>(kX), n, normal), static_cast<std::size_t>(row - first),
                  static_cast<std::size_t>(end - first), gate + n * images.channels,
                  o.out<float>(kY) + first * images.channels);
            }
          }};
}

}  // namespace

Bound bind_squeeze_excite(const BindContext& context) {
  const auto& attributes = context.op<graph::SqueezeExcite>().attributes;
  const SqueezeExciteImages images(context.input(kX).shape, attributes);
  Bound bound;
  bound.phases = {pool_phase(images), reduce_phase(images, to_kernel(attributes.activation)),
                  expand_phase(images, to_kernel(attributes.gate))};
  if (context.has_output(kY)) bound.phases.push_back(scale_phase(images));
  bound.shared_scratch = Vectors::bytes(images);
  bound.thread_scratch = static_cast<std::size_t>(images.channels) * sizeof(double);
  return bound;
}

}  // namespace bramble::engine
