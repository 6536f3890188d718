#include "graph/ops/depthwise_conv2d.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "engine/bind/activation.h"
#include "engine/bind/channel_sums.h"
#include "engine/bind/convolution_batchnorm.h"
#include "engine/bind/depthwise_rows.h"
#include "engine/bind/ops.h"
#include "engine/bind/product_cuts.h"
#include "engine/layout.h"
#include "kernels/conv2d/conv2d.h"
#include "kernels/depthwise_conv2d/depthwise_conv2d.h"

namespace bramble::engine {
namespace {

using kernels::DepthwiseConv2dShape;

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

std::size_t floats(std::int64_t count) { return static_cast<std::size_t>(count) * sizeof(float); }

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

/// What a BatchNorm's passes leave to the way in: how x is read, and how dy.
struct WaysIn {
  WaysIn(const graph::DepthwiseConv2dAttributes& attributes, std::optional<graph::Activation> dy_kind) {
    if (attributes.normalisation) x = to_kernel(*attributes.normalisation);
    if (dy_kind) dy = to_kernel(*dy_kind);
  }
  kernels::Normalisation of_x(const Operands& operands) const {
    return x ? normalisation(operands, 3, *x) : kernels::Normalisation{};
  }

  std::optional<kernels::Activation> x, dy;
};

/// Rows of x, normalised on the way in where they come through a BatchNorm.
class SourceRows {
 public:
  SourceRows(const DepthwiseConv2dShape& shape, const float* x, const kernels::Normalisation& normal, float* ring,
             std::int64_t channels)
      : shape_(shape), x_(x), normal_(normal), ring_(ring, shape.ring, shape.in_width * channels) {}

  /// What the kernels read for a turn.
  const float* of(const DepthwiseTurn& turn) {
    if (shape_.ring == 0) return x_;
    const kernels::DepthwiseSlice rows = turn.slice(gathered_rows(shape_, turn.rows), shape_.in_height);
    const auto width = static_cast<std::size_t>(shape_.in_width), channels = static_cast<std::size_t>(rows.channels());
    const kernels::Normalisation normal = normal_.from(rows.channel_begin);
    ring_.prepare(turn.image, gathered_rows(shape_, turn.rows), [&](std::int64_t row, float* to) {
      const std::int64_t pixel = (turn.image * shape_.in_height + row) * shape_.in_width;
      kernels::batchnorm_fwd_strided_f32(normal.activation, width, channels,
                                         x_ + pixel * shape_.x_pitch + rows.channel_begin,
                                         static_cast<std::size_t>(shape_.x_pitch), normal.affine, to, channels);
    });
    return ring_.rows();
  }

 private:
  const DepthwiseConv2dShape& shape_;
  const float* x_;
  kernels::Normalisation normal_;
  RowRing ring_;
};

/// What the BatchNorm after it needs of a turn's results.
class TurnSums {
 public:
  TurnSums(double* all, const DepthwiseTasks& tasks, std::int64_t task, std::int64_t parts)
      : sums_(all, tasks.part_of(task), tasks.channels),
        begin_(tasks.channel_begin(task)),
        end_(tasks.channel_end(task)),
        wanted_(all != nullptr) {
    if (!wanted_) return;
    sums_.clear(begin_, end_);
    // The parts that no task takes are the first one's to clear.
    if (task == 0) clear_parts(all, tasks.parts, parts, tasks.channels);
  }

  void add(const float* y, const kernels::DepthwiseSlice& rows, std::int64_t width) const {
    if (wanted_) sums_.add(y, rows.row_begin * width, rows.row_end * width, begin_, end_);
  }
  void add_backward(const kernels::BatchnormBackward& operands, const kernels::DepthwiseSlice& rows,
                    std::int64_t width) const {
    if (wanted_) sums_.add_backward(operands, rows.row_begin * width, rows.row_end * width, begin_, end_);
  }

 private:
  PartSums sums_;
  std::int64_t begin_, end_;
  bool wanted_;
};

struct Forward {
  enum Input { kX, kWeight, kBias };
  enum Output { kY, kSums };
  static constexpr DepthwiseTraffic kTraffic{2, 1};

  explicit Forward(const BindContext& context) : Forward(context, context.op<graph::DepthwiseConv2d>().attributes) {}
  Forward(const BindContext& context, const graph::DepthwiseConv2dAttributes& attributes)
      : shape(kernel_shape(attributes, context.input(kX).shape, context.output(kY).shape)),
        parts(context.output(kSums).shape[0]),
        ways_in(attributes, {}),
        tasks(shape, parts, shape.stride > 1 && !ways_in.x && !context.has_output(kSums), kTraffic, context.caches.l2),
        bounds(bounds_of(attributes.activation)),
        has_bias(context.has_input(kBias)) {
    shape.x_pitch = row_stride(context.input(kX));
    if (ways_in.x) shape.ring = tasks.most_rows([this](RowSpan of) { return gathered_rows(shape, of); });
  }

  std::int64_t scratch_elements() const { return shape.ring * shape.in_width * tasks.block; }

  void run(const Operands& operands, std::int64_t task, float* scratch) const {
    float* const y = operands.out<float>(kY);
    const float* const bias = has_bias ? operands.in<float>(kBias) : nullptr;
    SourceRows source(shape, operands.in<float>(kX), ways_in.of_x(operands), scratch, tasks.channel_count(task));
    const TurnSums sums(operands.out<double>(kSums), tasks, task, parts);
    tasks.for_each_turn(task, [&](const DepthwiseTurn& turn) {
      const kernels::DepthwiseSlice rows = turn.slice(turn.rows, shape.out_height);
      kernels::depthwise_conv2d_fwd_f32(shape, source.of(turn), operands.in<float>(kWeight), bias, bounds.low,
                                        bounds.high, y, rows);
      tasks.for_each_sum(turn, [&](RowSpan of) { sums.add(y, turn.slice(of, shape.out_height), shape.out_width); });
    });
  }

  DepthwiseConv2dShape shape;
  std::int64_t parts;
  WaysIn ways_in;
  DepthwiseTasks tasks;
  Bounds bounds;
  bool has_bias;
};

struct Backward {
  enum Input { kDy, kX, kWeight, kGradientX = 6, kAddend = 8 };
  enum Output { kDx, kDw, kDb, kSums };
  static constexpr DepthwiseTraffic kTraffic{4, 3};

  explicit Backward(const BindContext& context) : Backward(context, context.op<graph::DepthwiseConv2dBwd>()) {}
  Backward(const BindContext& context, const graph::DepthwiseConv2dBwd& op)
      : shape(kernel_shape(op.attributes, context.input(kX).shape, context.input(kDy).shape)),
        parts(context.output(kSums).shape[0]),
        tasks(shape, parts, false, kTraffic, context.caches.l2),
        ways_in(op.attributes, op.gradient_normalisation),
        has_dx(context.has_output(kDx)),
        has_dw(context.has_output(kDw)),
        has_db(context.has_output(kDb)),
        has_addend(context.has_input(kAddend)) {
    shape.x_pitch = row_stride(context.input(kX));
    shape.dy_pitch = row_stride(context.input(kDy));
    if (has_addend) shape.addend_pitch = row_stride(context.input(kAddend));
    if (ways_in.x) shape.ring = tasks.most_rows([this](RowSpan of) { return gathered_rows(shape, of); });
    if (ways_in.dy) shape.gradient_ring = tasks.most_rows([this](RowSpan of) { return gradient_rows(of); });
  }

  std::int64_t weights() const { return shape.taps() * shape.channels; }
  std::int64_t ring_elements() const { return shape.ring * shape.in_width * tasks.block; }
  std::int64_t scratch_elements() const {
    return ring_elements() + shape.gradient_ring * shape.out_width * tasks.block;
  }

  /// The rows of dy that a turn reads: its own for dw, those that its rows of dx gather.
  RowSpan gradient_rows(RowSpan of) const {
    const RowSpan gathered = has_dx ? gathered_gradient_rows(shape, source_rows(shape, of)) : RowSpan{};
    if (gathered.count() == 0) return of;
    return {std::min(of.begin, gathered.begin), std::max(of.end, gathered.end)};
  }

  /// dy for a turn: the operand, or made of it in the ring.
  const float* gradient(const Operands& operands, const DepthwiseTurn& turn, RowRing& ring) const {
    if (!ways_in.dy) return operands.in<float>(kDy);
    ring.prepare(turn.image, gradient_rows(turn.rows), [&](std::int64_t row, float* to) {
      const std::int64_t pixel = (turn.image * shape.out_height + row) * shape.out_width;
      normalise_gradient(operands, kGradientX, *ways_in.dy, shape.channels, shape.dy_pitch,
                         {0, pixel, pixel + shape.out_width, turn.channel_begin, turn.channel_end}, to);
    });
    return ring.rows();
  }

  /// Both gradients of a task, turn by turn. Shared scratch: [parts][taps * channels] of dw, then [parts][channels] of db.
  void run(const Operands& operands, std::int64_t task, float* scratch) const {
    const std::int64_t part = tasks.part_of(task), channels = tasks.channel_count(task);
    float* const partial = reinterpret_cast<float*>(operands.shared);
    float* const dw = partial + part * weights();
    float* const db = has_db ? partial + tasks.parts * weights() + part * shape.channels : nullptr;
    const float* const x = operands.in<float>(kX);
    float* const dx = operands.out<float>(kDx);
    const float* const addend = has_addend ? operands.in<float>(kAddend) : nullptr;
    const kernels::Normalisation normal = ways_in.of_x(operands);
    SourceRows source(shape, x, normal, scratch, channels);
    RowRing ring(scratch + ring_elements(), shape.gradient_ring, shape.out_width * channels);
    const kernels::BatchnormBackward norm{
        normal.activation, static_cast<std::size_t>(shape.channels), dx, x, nullptr, normal.affine};
    const TurnSums sums(operands.out<double>(kSums), tasks, task, parts);
    bool accumulate = false;
    tasks.for_each_turn(task, [&](const DepthwiseTurn& turn) {
      const float* const dy = gradient(operands, turn, ring);
      if (has_dw || has_db) {
        kernels::depthwise_conv2d_bwd_weight_f32(shape, source.of(turn), dy, dw, db,
                                                 turn.slice(turn.rows, shape.out_height), accumulate);
        accumulate = true;
      }
      if (!has_dx) return;
      const kernels::DepthwiseSlice rows = turn.slice(source_rows(shape, turn.rows), shape.in_height);
      kernels::depthwise_conv2d_bwd_data_f32(shape, dy, operands.in<float>(kWeight), addend, dx, rows);
      tasks.for_each_sum(turn, [&](RowSpan of) {
        sums.add_backward(norm, turn.slice(source_rows(shape, of), shape.in_height), shape.in_width);
      });
    });
  }

  DepthwiseConv2dShape shape;
  std::int64_t parts;
  DepthwiseTasks tasks;
  WaysIn ways_in;
  bool has_dx, has_dw, has_db, has_addend;
};

template <class Pass>
Phase pass_phase(const Pass& pass, Bound& bound) {
  bound.thread_scratch = floats(pass.scratch_elements());
  return {pass.tasks.count(), [pass](const Operands& operands, std::int64_t task, std::byte* scratch) {
            pass.run(operands, task, reinterpret_cast<float*>(scratch));
          }};
}

}  // namespace

Bound bind_depthwise_conv2d(const BindContext& context) {
  Bound bound;
  bound.phases.push_back(pass_phase(Forward(context), bound));
  return bound;
}

Bound bind_depthwise_conv2d_bwd(const BindContext& context) {
  const Backward bwd(context);
  Bound bound;
  bound.phases.push_back(pass_phase(bwd, bound));
  const std::int64_t parts = bwd.tasks.parts, weights = bwd.weights();
  if (bwd.has_dw) bound.phases.push_back(sum_phase(Backward::kDw, 0, parts, weights));
  if (bwd.has_db) bound.phases.push_back(sum_phase(Backward::kDb, parts * weights, parts, bwd.shape.channels));
  bound.shared_scratch = floats(parts * (weights + bwd.shape.channels));
  return bound;
}

}  // namespace bramble::engine
