#include "graph/ops/depthwise_conv2d.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "engine/bind/activation.h"
#include "engine/bind/channel_sums.h"
#include "engine/bind/ops.h"
#include "engine/bind/product_cuts.h"
#include "kernels/conv2d/conv2d.h"
#include "kernels/depthwise_conv2d/depthwise_conv2d.h"

namespace bramble::engine {
namespace {

using kernels::DepthwiseConv2dShape;

/// Pixels of a row that one turn of a pass covers, about: wide images go row by row, of narrow ones several rows at a
/// time, so that the steps of a turn find each other's results in the cache and still have something to do.
constexpr std::int64_t kTurnPixels = 56;
/// Elements of the gradient that a task of the summing phase takes at most and at least.
constexpr std::int64_t kLargestSum = 4096;
constexpr std::int64_t kSmallestSum = 256;

DepthwiseConv2dShape kernel_shape(const graph::DepthwiseConv2dAttributes& attributes, const graph::Shape& x,
                                  const graph::Shape& y) {
  return {x[0],
          x[1],
          x[2],
          x[3],
          y[1],
          y[2],
          attributes.kernel_h,
          attributes.kernel_w,
          attributes.stride,
          attributes.padding.height,
          attributes.padding.width,
          attributes.dilation};
}

struct Bounds {
  float low, high;
};

Bounds bounds_of(graph::Activation activation) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  switch (activation) {
    case graph::Activation::relu:
      return {0.0F, kInfinity};
    case graph::Activation::relu6:
      return {0.0F, 6.0F};
    default:
      return {-kInfinity, kInfinity};
  }
}

/// Sums `parts` parts of `count` elements, part p at `offset` + p * count of the shared scratch, into an output.
Phase sum_phase(int output, std::int64_t offset, std::int64_t parts, std::int64_t count) {
  const std::int64_t block =
      kernels::round_up(std::clamp((count + kTaskGoal - 1) / kTaskGoal, kSmallestSum, kLargestSum), 16);
  return {(count + block - 1) / block, [=](const Operands& operands, std::int64_t task, std::byte*) {
            const std::int64_t begin = task * block;
            kernels::sum_parts_f32(reinterpret_cast<const float*>(operands.shared) + offset, parts, count, begin,
                                   std::min(begin + block, count), operands.out<float>(output));
          }};
}

/// The rows of all images' outputs in tasks, and each task's in turns of a few rows of one image.
struct Rows {
  Rows(const DepthwiseConv2dShape& shape, std::int64_t most)
      : height(shape.out_height),
        total(shape.batch * shape.out_height),
        tasks(std::min(total, most)),
        turn(std::max<std::int64_t>(1, kTurnPixels / shape.out_width)) {}

  /// Calls run(row, row_end) for the turns of a task.
  template <class Run>
  void for_each_turn(std::int64_t task, Run run) const {
    const std::int64_t last = total * (task + 1) / tasks;
    for (std::int64_t row = total * task / tasks, end = 0; row < last; row = end) {
      end = std::min({row + turn, last, (row / height + 1) * height});
      run(row, end);
    }
  }

  std::int64_t height, total, tasks, turn;
};

/// The rows of x that a turn's outputs gather from, normalised in a ring that the next turn goes on with.
class NormalisedRows {
 public:
  NormalisedRows(const DepthwiseConv2dShape& shape, const float* x, const kernels::Normalisation& normal, float* ring)
      : shape_(shape), x_(x), normal_(normal), ring_(ring) {}

  static std::int64_t capacity(const DepthwiseConv2dShape& shape, std::int64_t turn) {
    return (turn - 1) * shape.stride + (shape.kernel_height - 1) * shape.dilation + 1;
  }
  static std::int64_t elements(const DepthwiseConv2dShape& shape, std::int64_t turn) {
    return capacity(shape, turn) * shape.in_width * shape.channels;
  }

  /// For output rows [row, row_end) of all images, which are rows of one.
  void prepare(std::int64_t row, std::int64_t row_end) {
    const std::int64_t image = row / shape_.out_height, first = row % shape_.out_height;
    const std::int64_t top = first * shape_.stride - shape_.padding_height;
    const std::int64_t bottom = (first + row_end - row - 1) * shape_.stride - shape_.padding_height +
                                (shape_.kernel_height - 1) * shape_.dilation;
    if (image != image_) image_ = image, next_ = 0;
    next_ = std::max(next_, top);
    for (; next_ <= std::min(bottom, shape_.in_height - 1); ++next_) {
      const auto width = static_cast<std::size_t>(shape_.in_width),
                 channels = static_cast<std::size_t>(shape_.channels);
      const float* from = x_ + (image * shape_.in_height + next_) * shape_.in_width * shape_.channels;
      float* to = ring_ + next_ % shape_.ring * shape_.in_width * shape_.channels;
      kernels::batchnorm_fwd_f32(normal_.activation, 0, width, channels, from, normal_.affine, nullptr, to);
    }
  }

 private:
  const DepthwiseConv2dShape& shape_;
  const float* x_;
  kernels::Normalisation normal_;
  float* ring_;
  std::int64_t image_ = -1;
  std::int64_t next_ = 0;
};

/// What forward and backward do with a normalised x.
struct WayIn {
  WayIn(const graph::DepthwiseConv2dAttributes& attributes, DepthwiseConv2dShape& shape, std::int64_t turn) {
    if (!attributes.normalisation) return;
    kind = to_kernel(*attributes.normalisation);
    shape.ring = NormalisedRows::capacity(shape, turn);
    elements = NormalisedRows::elements(shape, turn);
  }
  kernels::Normalisation normal(const Operands& operands) const {
    return kind ? normalisation(operands, 3, *kind) : kernels::Normalisation{};
  }

  std::optional<kernels::Activation> kind;
  std::int64_t elements = 0;  ///< of thread scratch
};

}  // namespace

Bound bind_depthwise_conv2d(const BindContext& context) {
  enum { kX, kWeight, kBias };
  enum { kY, kSums };
  const auto& attributes = context.op<graph::DepthwiseConv2d>().attributes;
  auto shape = kernel_shape(attributes, context.input(kX).shape, context.output(kY).shape);
  const bool has_bias = context.has_input(kBias), has_sums = context.has_output(kSums);
  const Bounds bounds = bounds_of(attributes.activation);
  const std::int64_t parts = context.output(kSums).shape[0];
  const Rows rows(shape, parts);
  const WayIn way_in(attributes, shape, rows.turn);
  Bound bound;
  bound.thread_scratch = static_cast<std::size_t>(way_in.elements) * sizeof(float);
  bound.phases.push_back({rows.tasks, [=](const Operands& operands, std::int64_t task, std::byte* scratch) {
                            float* const ring = reinterpret_cast<float*>(scratch);
                            const float* const x = operands.in<float>(kX);
                            float* const y = operands.out<float>(kY);
                            NormalisedRows normalised(shape, x, way_in.normal(operands), ring);
                            double* const all = operands.out<double>(kSums);
                            const PartSums sums(all, task, shape.channels);
                            if (has_sums) sums.clear(0, shape.channels);
                            if (has_sums && task == 0) clear_parts(all, rows.tasks, parts, shape.channels);
                            rows.for_each_turn(task, [&](std::int64_t row, std::int64_t end) {
                              if (way_in.kind) normalised.prepare(row, end);
                              kernels::depthwise_conv2d_fwd_f32(
                                  shape, way_in.kind ? ring : x, operands.in<float>(kWeight),
                                  has_bias ? operands.in<float>(kBias) : nullptr, bounds.low, bounds.high, y, row, end);
                              if (has_sums)
                                sums.add(y, row * shape.out_width, end * shape.out_width, 0, shape.channels);
                            });
                          }});
  return bound;
}

Bound bind_depthwise_conv2d_bwd(const BindContext& context) {
  enum { kDy, kX, kWeight };
  enum { kDx, kDw, kDb, kSums };
  const auto& attributes = context.op<graph::DepthwiseConv2dBwd>().attributes;
  auto shape = kernel_shape(attributes, context.input(kX).shape, context.input(kDy).shape);
  const bool has_dx = context.has_output(kDx), has_dw = context.has_output(kDw), has_db = context.has_output(kDb);
  const bool has_sums = context.has_output(kSums);
  const std::int64_t parts = context.output(kSums).shape[0];
  const Rows rows(shape, parts);
  const WayIn way_in(attributes, shape, rows.turn);
  const std::int64_t weights = shape.taps() * shape.channels;
  Bound bound;
  bound.thread_scratch = static_cast<std::size_t>(way_in.elements) * sizeof(float);
  bound.phases.push_back(
      {rows.tasks, [=](const Operands& operands, std::int64_t task, std::byte* scratch) {
         // Shared scratch: [tasks][taps * channels] of dw, then [tasks][channels] of db.
         float* const partial = reinterpret_cast<float*>(operands.shared);
         float* const dw = partial + task * weights;
         float* const db = has_db ? partial + rows.tasks * weights + task * shape.channels : nullptr;
         float* const ring = reinterpret_cast<float*>(scratch);
         const float* const x = operands.in<float>(kX);
         const float* const dy = operands.in<float>(kDy);
         float* const dx = operands.out<float>(kDx);
         const kernels::Normalisation normal = way_in.normal(operands);
         NormalisedRows normalised(shape, x, normal, ring);
         const kernels::BatchnormBackward norm{
             normal.activation, static_cast<std::size_t>(shape.channels), dx, x, nullptr, normal.affine};
         double* const all = operands.out<double>(kSums);
         const PartSums sums(all, task, shape.channels);
         if (has_sums) sums.clear(0, shape.channels);
         if (has_sums && task == 0) clear_parts(all, rows.tasks, parts, shape.channels);
         bool accumulate = false;
         rows.for_each_turn(task, [&](std::int64_t row, std::int64_t end) {
           if (has_dw || has_db) {
             if (way_in.kind) normalised.prepare(row, end);
             kernels::depthwise_conv2d_bwd_weight_f32(shape, way_in.kind ? ring : x, dy, dw, db, row, end, accumulate);
             accumulate = true;
           }
           if (!has_dx) return;
           const std::int64_t image = row / shape.out_height;
           const auto source_row = [&](std::int64_t r) {
             return image * shape.in_height + (r - image * shape.out_height) * shape.in_height / shape.out_height;
           };
           kernels::depthwise_conv2d_bwd_data_f32(shape, dy, operands.in<float>(kWeight), dx, source_row(row),
                                                  source_row(end));
           if (has_sums) {
             sums.add_backward(norm, source_row(row) * shape.in_width, source_row(end) * shape.in_width, 0,
                               shape.channels);
           }
         });
       }});
  if (has_dw) bound.phases.push_back(sum_phase(kDw, 0, rows.tasks, weights));
  if (has_db) bound.phases.push_back(sum_phase(kDb, rows.tasks * weights, rows.tasks, shape.channels));
  bound.shared_scratch = static_cast<std::size_t>(rows.tasks * (weights + shape.channels)) * sizeof(float);
  return bound;
}

}  // namespace bramble::engine
