#include "kernels/groupnorm/groupnorm.h"

#include <algorithm>

#include "engine/bind/channel_sums.h"
#include "engine/bind/ops.h"
#include "engine/bind/slices.h"
#include "graph/ops/groupnorm.h"
#include "kernels/batchnorm/batchnorm.h"
#include "kernels/column_sum/column_sum.h"

namespace bramble::engine {
namespace {

/// Each image's pixels in slices of their own. Shared scratch: each slice's sums [images][slices][2][C] in double, then
/// for each image some per-channel vectors.
struct Images {
  static constexpr std::int64_t kMostTasks = 64;

  Images(const graph::Shape& x, int groups)
      : images(x[0]),
        channels(x.back()),
        pixels(graph::element_count(x) / images / channels),
        slices{static_cast<std::size_t>(pixels)},
        shape{static_cast<std::size_t>(pixels), static_cast<std::size_t>(channels), static_cast<std::size_t>(groups)} {
    const Slices finest = slice_rows(slices.rows, shape.channels);
    slices.count = std::min(finest.count, std::max<std::int64_t>(1, kMostTasks / images));
  }

  std::int64_t tasks() const { return images * slices.count; }
  std::int64_t image(std::int64_t task) const { return task / slices.count; }
  std::int64_t slice(std::int64_t task) const { return task % slices.count; }
  std::int64_t first(std::int64_t task) const { return image(task) * pixels * channels; }

  std::size_t scratch_bytes(std::int64_t vectors) const {
    return static_cast<std::size_t>(tasks() * 2 * channels) * sizeof(double) +
           static_cast<std::size_t>(images * vectors * channels) * sizeof(float);
  }
  double* sums(const Operands& o) const { return reinterpret_cast<double*>(o.shared); }
  double* sums_of_image(const Operands& o, std::int64_t n) const { return sums(o) + n * slices.count * 2 * channels; }
  /// Vector `i` of `count` that image `n` has.
  float* vector(const Operands& o, std::int64_t n, std::int64_t i, std::int64_t count) const {
    return reinterpret_cast<float*>(sums(o) + tasks() * 2 * channels) + (n * count + i) * channels;
  }

  std::int64_t images, channels, pixels;
  Slices slices;
  kernels::GroupnormShape shape;
};

struct Forward {
  enum Input { kX, kGamma, kBeta };
  enum Output { kY, kMean, kRstd };
  enum Vector { kMeans, kScale, kVectors };
};

struct Backward {
  enum Input { kDy, kX, kGamma, kMean, kRstd, kAddend };
  enum Output { kDx, kDgamma, kDbeta };
  enum Vector { kMeans, kScale, kSlope, kConstant, kOwnDgamma, kOwnDbeta, kVectors };
};

/// A group's mean or rstd of image n: the output where it is read, else `own`.
float* statistic(const Operands& o, int output, std::int64_t n, std::int64_t groups, float* own) {
  float* const all = o.out<float>(output);
  return all != nullptr ? all + n * groups : own;
}

}  // namespace

Bound bind_groupnorm(const BindContext& context) {
  using Op = Forward;
  const auto& attributes = context.op<graph::GroupNorm>().attributes;
  const Images images(context.input(Op::kX).shape, attributes.groups);
  const auto vector = [images](const Operands& o, std::int64_t n, Op::Vector i) {
    return images.vector(o, n, i, Op::kVectors);
  };
  Bound bound;
  bound.shared_scratch = images.scratch_bytes(Op::kVectors);
  bound.thread_scratch = static_cast<std::size_t>(2 * attributes.groups) * sizeof(float);
  bound.phases.push_back({images.tasks(), [=](const Operands& o, std::int64_t task, std::byte*) {
                            const PartSums sums(images.sums(o), task, images.channels);
                            sums.clear(0, images.channels);
                            const auto slice = images.slice(task);
                            sums.add(o.in<float>(Op::kX) + images.first(task),
                                     static_cast<std::int64_t>(images.slices.begin(slice)),
                                     static_cast<std::int64_t>(images.slices.end(slice)), 0, images.channels);
                          }});
  bound.phases.push_back({images.images, [=](const Operands& o, std::int64_t n, std::byte* scratch) {
                            auto* const own = reinterpret_cast<float*>(scratch);
                            kernels::groupnorm_finalise_f32(
                                images.shape, static_cast<std::size_t>(images.slices.count), attributes.eps,
                                images.sums_of_image(o, n), o.in<float>(Op::kGamma),
                                statistic(o, Op::kMean, n, attributes.groups, own),
                                statistic(o, Op::kRstd, n, attributes.groups, own + attributes.groups),
                                vector(o, n, Op::kMeans), vector(o, n, Op::kScale));
                          }});
  bound.phases.push_back({images.tasks(), [=](const Operands& o, std::int64_t task, std::byte*) {
                            const std::int64_t n = images.image(task), slice = images.slice(task);
                            const kernels::BatchnormAffine affine{vector(o, n, Op::kMeans), vector(o, n, Op::kScale),
                                                                  o.in<float>(Op::kBeta)};
                            kernels::batchnorm_fwd_f32(
                                kernels::Activation::none, images.slices.begin(slice), images.slices.end(slice),
                                images.shape.channels, o.in<float>(Op::kX) + images.first(task), affine, nullptr,
                                o.out<float>(Op::kY) + images.first(task));
                          }});
  return bound;
}

Bound bind_groupnorm_bwd(const BindContext& context) {
  using Op = Backward;
  const auto groups = context.op<graph::GroupNormBwd>().attributes.groups;
  const Images images(context.input(Op::kX).shape, groups);
  const bool has_dx = context.has_output(Op::kDx), has_addend = context.has_input(Op::kAddend);
  const auto vector = [images](const Operands& o, std::int64_t n, Op::Vector i) {
    return images.vector(o, n, i, Op::kVectors);
  };
  const auto coefficients = [vector](const Operands& o, std::int64_t n) {
    return kernels::GroupnormCoefficients{vector(o, n, Op::kScale), vector(o, n, Op::kSlope),
                                          vector(o, n, Op::kConstant)};
  };
  Bound bound;
  bound.shared_scratch = images.scratch_bytes(Op::kVectors);
  bound.phases.push_back({images.images, [=](const Operands& o, std::int64_t n, std::byte*) {
                            kernels::groupnorm_spread_f32(images.shape, o.in<float>(Op::kMean) + n * groups,
                                                          vector(o, n, Op::kMeans));
                          }});
  bound.phases.push_back({images.tasks(), [=](const Operands& o, std::int64_t task, std::byte*) {
                            const std::int64_t n = images.image(task), slice = images.slice(task);
                            const PartSums sums(images.sums(o), task, images.channels);
                            sums.clear(0, images.channels);
                            sums.add_backward({kernels::Activation::none,
                                               images.shape.channels,
                                               o.in<float>(Op::kDy) + images.first(task),
                                               o.in<float>(Op::kX) + images.first(task),
                                               nullptr,
                                               {vector(o, n, Op::kMeans), o.in<float>(Op::kGamma),
                                                o.in<float>(Op::kGamma)}},
                                              static_cast<std::int64_t>(images.slices.begin(slice)),
                                              static_cast<std::int64_t>(images.slices.end(slice)), 0, images.channels);
                          }});
  bound.phases.push_back({images.images, [=](const Operands& o, std::int64_t n, std::byte*) {
                            kernels::groupnorm_bwd_coefficients_f32(
                                images.shape, static_cast<std::size_t>(images.slices.count),
                                images.sums_of_image(o, n), o.in<float>(Op::kGamma), o.in<float>(Op::kRstd) + n * groups,
                                vector(o, n, Op::kOwnDgamma), vector(o, n, Op::kOwnDbeta), coefficients(o, n));
                          }});
  // The images' gradients of gamma and beta are summed beside the data's pass.
  const std::int64_t data_tasks = has_dx ? images.tasks() : 0;
  bound.phases.push_back({data_tasks + 2, [=](const Operands& o, std::int64_t task, std::byte*) {
                            if (task >= data_tasks) {
                              const bool of_gamma = task == data_tasks;
                              float* const sum = o.out<float>(of_gamma ? Op::kDgamma : Op::kDbeta);
                              if (sum == nullptr) return;
                              return kernels::column_sum_f32(
                                  0, static_cast<std::size_t>(images.images), 0, images.shape.channels,
                                  Op::kVectors * images.shape.channels,
                                  vector(o, 0, of_gamma ? Op::kOwnDgamma : Op::kOwnDbeta), sum);
                            }
                            const std::int64_t n = images.image(task), slice = images.slice(task);
                            const std::int64_t first = images.first(task);
                            kernels::groupnorm_bwd_data_f32(
                                images.shape, images.slices.begin(slice), images.slices.end(slice),
                                o.in<float>(Op::kDy) + first, o.in<float>(Op::kX) + first, vector(o, n, Op::kMeans),
                                coefficients(o, n), has_addend ? o.in<float>(Op::kAddend) + first : nullptr,
                                o.out<float>(Op::kDx) + first);
                          }});
  return bound;
}

}  // namespace bramble::engine
