#include "kernels/softmax_cross_entropy/softmax_cross_entropy.h"

#include "engine/bind/ops.h"
#include "graph/ops/softmax_cross_entropy.h"

namespace bramble::engine {
namespace {

enum Output { kLoss, kDlogits };

}  // namespace

Bound bind_softmax_cross_entropy(const BindContext& context) {
  const graph::Shape& logits = context.input(0).shape;
  const kernels::SoftmaxCrossEntropy shape{static_cast<std::size_t>(logits[0]), static_cast<std::size_t>(logits[1]),
                                           context.op<graph::SoftmaxCrossEntropy>().attributes.label_smoothing};
  const bool mixed = context.has_input(2);
  Bound bound;
  bound.shared_scratch = shape.rows * sizeof(double);
  bound.phases.push_back({logits[0], [=](const Operands& o, std::int64_t task, std::byte*) {
                            const auto row = static_cast<std::size_t>(task);
                            kernels::Targets targets{o.in<std::int32_t>(1)};
                            if (mixed) targets = {targets.labels, o.in<std::int32_t>(2), o.in<float>(3)};
                            kernels::softmax_cross_entropy_f32(shape, row, row + 1, o.in<float>(0), targets,
                                                               reinterpret_cast<double*>(o.shared),
                                                               o.out<float>(kDlogits));
                          }});
  bound.phases.push_back({1, [=](const Operands& o, std::int64_t, std::byte*) {
                            const double* losses = reinterpret_cast<const double*>(o.shared);
                            double sum = 0;
                            for (std::size_t r = 0; r < shape.rows; ++r) sum += losses[r];
                            if (float* loss = o.out<float>(kLoss)) {
                              *loss = static_cast<float>(sum / static_cast<double>(shape.rows));
                            }
                          }});
  return bound;
}

}  // namespace bramble::engine
