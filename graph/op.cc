#include "graph/op.h"

namespace bramble::graph {

void Op::backward(BackwardContext&) const {
  throw ShapeError(std::string(name()) + " has no derivative, and a trainable parameter lies before it");
}

int Op::in_place_input(int) const { return -1; }

std::shared_ptr<const Op> Op::with_activation(Activation, bool) const { return nullptr; }

std::shared_ptr<const Op> Op::frozen() const { return nullptr; }
std::shared_ptr<const Op> Op::with_normalised_input(int, Activation) const { return nullptr; }
std::shared_ptr<const Op> Op::with_gated_input(int, Activation) const { return nullptr; }

std::shared_ptr<const Op> Op::with_backward_sums(Activation) const { return nullptr; }

std::shared_ptr<const Op> Op::with_normalised_gradient(std::span<const TensorSpec>, Activation) const {
  return nullptr;
}

double Op::flops(std::span<const TensorSpec>, std::span<const TensorSpec>) const { return 0; }

}  // namespace bramble::graph
