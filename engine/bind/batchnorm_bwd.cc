#include <algorithm>
#include <optional>

#include "engine/bind/activation.h"
#include "engine/bind/batchnorm_layout.h"
#include "engine/bind/channel_sums.h"
#include "engine/bind/ops.h"
#include "engine/bind/unpooling.h"
#include "engine/layout.h"
#include "graph/ops/batchnorm.h"
#include "kernels/batchnorm/batchnorm.h"

namespace bramble::engine {
namespace {

struct Backward {
  enum Input { kDy, kX, kScale, kBeta, kMean, kRstd, kY, kSums, kArgmax };
  enum Output { kDx, kDgamma, kDbeta, kDresidual, kCoefficients };
};

enum Vector : std::size_t { kSlope, kConstant };

std::optional<Unpooling> unpooling_of(const BindContext& context) {
  const auto& pool = context.op<graph::BatchNormBwd>().pool;
  if (!pool) return {};
  return Unpooling(pool_shape(*pool, context.input(Backward::kX), context.input(Backward::kDy)), context.caches.l2);
}

class BackwardPhases {
 public:
  BackwardPhases(const BindContext& context, const BatchnormLayout& layout)
      : layout_(layout),
        activation_(to_kernel(context.op<graph::BatchNormBwd>().attributes.activation)),
        training_(context.op<graph::BatchNormBwd>().attributes.training),
        dy_stride_(static_cast<std::size_t>(row_stride(context.input(Backward::kDy)))),
        has_y_(context.has_input(Backward::kY)),
        unpooling_(unpooling_of(context)) {}

  Phase reduce() const {
    return {layout_.by_rows.count, [self = *this](const Operands& o, std::int64_t task, std::byte* scratch) {
              const auto channels = static_cast<std::int64_t>(self.layout_.channels);
              const PartSums sums(self.layout_.sums(o, Backward::kSums), task, channels);
              sums.clear(0, channels);
              self.for_each_block(o, task, scratch, [&](const Block& block) {
                sums.add_backward(block.operands, static_cast<std::int64_t>(block.begin),
                                  static_cast<std::int64_t>(block.end), 0, channels);
              });
            }};
  }

  Phase coefficients() const {
    return {layout_.by_channels.count, [self = *this](const Operands& o, std::int64_t task, std::byte*) {
              const BatchnormLayout& layout = self.layout_;
              kernels::batchnorm_bwd_coefficients_f32(layout.by_channels.begin(task), layout.by_channels.end(task),
                                                      layout.rows, layout.channels, layout.parts, self.training_,
                                                      layout.sums(o, Backward::kSums), o.in<float>(Backward::kScale),
                                                      o.in<float>(Backward::kRstd), o.out<float>(Backward::kDgamma),
                                                      o.out<float>(Backward::kDbeta), self.slope(o), self.constant(o));
              self.give_affine(o, layout.by_channels.begin(task), layout.by_channels.end(task));
            }};
  }

  /// Slope and constant where no sums are needed for them.
  Phase no_coefficients() const {
    return {layout_.by_channels.count, [self = *this](const Operands& o, std::int64_t task, std::byte*) {
              const std::size_t begin = self.layout_.by_channels.begin(task), end = self.layout_.by_channels.end(task);
              for (float* v : {self.slope(o), self.constant(o)}) std::fill(v + begin, v + end, 0.0F);
              self.give_affine(o, begin, end);
            }};
  }

  Phase data(bool has_dresidual) const {
    return {layout_.by_rows.count,
            [self = *this, has_dresidual](const Operands& o, std::int64_t task, std::byte* scratch) {
              self.for_each_block(o, self.layout_.backwards(task), scratch, [&](const Block& block) {
                float* const dx = o.out<float>(Backward::kDx);
                kernels::batchnorm_bwd_data_f32(block.operands, block.begin, block.end, self.slope(o),
                                                self.constant(o), dx ? dx + block.first : nullptr,
                                                has_dresidual ? o.out<float>(Backward::kDresidual) : nullptr);
              });
            }};
  }

  std::size_t thread_scratch() const { return unpooling_ ? unpooling_->scratch_bytes() : 0; }

  bool training() const { return training_; }

 private:
  // Rows [begin, end) of operands that begin at element `first` of the tensors.
  struct Block {
    kernels::BatchnormBackward operands;
    std::size_t begin, end;
    std::size_t first;
  };

  /// Calls run(block) for a slice: for all of it, or piece by piece where dy is made on the way.
  template <class Run>
  void for_each_block(const Operands& o, std::int64_t slice, std::byte* scratch, Run run) const {
    const std::size_t begin = layout_.by_rows.begin(slice), end = layout_.by_rows.end(slice);
    if (!unpooling_) return run(Block{operands(o), begin, end, 0});
    unpooling_->for_each_block(o.in<float>(Backward::kDy), o.in<std::uint8_t>(Backward::kArgmax), begin, end,
                               reinterpret_cast<float*>(scratch), [&](std::size_t row, std::size_t rows) {
                                 Block block{operands(o), 0, rows, row * layout_.channels};
                                 block.operands.dy = reinterpret_cast<const float*>(scratch);
                                 block.operands.dy_stride = layout_.channels;
                                 block.operands.x += block.first;
                                 run(block);
                               });
  }

  // The coefficients' five vectors lie in the output, if a reader wants them.
  float* vector(const Operands& o, std::size_t row, Vector otherwise) const {
    float* const given = o.out<float>(Backward::kCoefficients);
    return given != nullptr ? given + row * layout_.channels : layout_.vector(o, otherwise);
  }
  float* slope(const Operands& o) const { return vector(o, 3, kSlope); }
  float* constant(const Operands& o) const { return vector(o, 4, kConstant); }
  /// Copies, as beta may be updated before the reader comes.
  void give_affine(const Operands& o, std::size_t begin, std::size_t end) const {
    float* given = o.out<float>(Backward::kCoefficients);
    if (given == nullptr) return;
    for (const int input : {Backward::kMean, Backward::kScale, Backward::kBeta}) {
      std::copy(o.in<float>(input) + begin, o.in<float>(input) + end, given + begin);
      given += layout_.channels;
    }
  }
  kernels::BatchnormBackward operands(const Operands& o) const {
    return {activation_,
            layout_.channels,
            o.in<float>(Backward::kDy),
            o.in<float>(Backward::kX),
            has_y_ ? o.in<float>(Backward::kY) : nullptr,
            {o.in<float>(Backward::kMean), o.in<float>(Backward::kScale), o.in<float>(Backward::kBeta)},
            dy_stride_};
  }

  BatchnormLayout layout_;
  kernels::Activation activation_;
  bool training_;
  std::size_t dy_stride_;
  bool has_y_;
  std::optional<Unpooling> unpooling_;
};

}  // namespace

Bound bind_batchnorm_bwd(const BindContext& context) {
  const graph::Shape& x = context.input(Backward::kX).shape;
  // Where dy is unpooled on the way, slices are whole rows of an image.
  const auto unit =
      context.op<graph::BatchNormBwd>().pool ? std::optional(static_cast<std::size_t>(x[2])) : std::nullopt;
  const BatchnormLayout layout(x, given_sums(context, Backward::kSums), unit);
  const BackwardPhases phases(context, layout);
  const bool has_dx = context.has_output(Backward::kDx);
  const bool has_dresidual = context.has_input(Backward::kY) && context.has_output(Backward::kDresidual);
  const bool parameters = context.has_output(Backward::kDgamma) || context.has_output(Backward::kDbeta);
  Bound bound;
  bound.shared_scratch = layout.shared_bytes();
  bound.thread_scratch = phases.thread_scratch();
  const bool has_coefficients = context.has_output(Backward::kCoefficients);
  if (parameters || ((has_dx || has_coefficients) && phases.training())) {
    if (layout.own_sums > 0) bound.phases.push_back(phases.reduce());
    bound.phases.push_back(phases.coefficients());
  } else {
    bound.phases.push_back(phases.no_coefficients());
  }
  if (has_dx || has_dresidual) bound.phases.push_back(phases.data(has_dresidual));
  return bound;
}

}  // namespace bramble::engine
