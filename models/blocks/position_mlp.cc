#include "models/blocks/position_mlp.h"

#include <cmath>

#include "models/blocks/relative_position.h"

namespace bramble::models {
namespace {

using graph::Builder;
using graph::TensorId;

/// Pairs (row, column) of a square of `extent` places a side, `scale` being what a place stands for.
template <class Scale>
TensorId coordinates(Builder& b, const std::string& name, std::int64_t extent, Scale scale) {
  std::vector<float> pairs;
  for (std::int64_t row = 0; row < extent; ++row)
    for (std::int64_t column = 0; column < extent; ++column)
      for (const std::int64_t place : {row, column}) pairs.push_back(static_cast<float>(scale(place)));
  return b.constant(name + ".coordinates", {extent * extent, 2}, std::move(pairs));
}

TensorId perceptron(Builder& b, const std::string& name, TensorId x, int out) {
  constexpr int kHidden = 512;
  return b.linear(name + ".cpb_mlp.2", b.relu(b.linear(name + ".cpb_mlp.0", x, kHidden)), out, false);
}

}  // namespace

TensorId position_embedding(Builder& b, const std::string& name, std::int64_t side, int channels) {
  const auto middle = static_cast<double>(side / 2);
  const TensorId places =
      coordinates(b, name, side, [=](std::int64_t place) { return (static_cast<double>(place) - middle) / middle; });
  return b.reshape(perceptron(b, name, places, channels), {1, side * side, channels});
}

TensorId relative_position_mlp(Builder& b, const std::string& name, std::int64_t side, std::int64_t prefix, int heads) {
  const auto farthest = static_cast<double>(side - 1);
  const TensorId offsets = coordinates(b, name, 2 * side - 1, [=](std::int64_t place) {
    const double offset = 8 * (static_cast<double>(place) - farthest) / farthest;
    return std::copysign(std::log2(std::abs(offset) + 1) / 3, offset);
  });
  graph::RelativePositionAttributes positions = relative_positions(side, Offset::query_minus_key, prefix);
  positions.factor = 16;
  return b.relative_position_bias(b.activation(perceptron(b, name, offsets, heads), graph::Activation::sigmoid),
                                  positions);
}

}  // namespace bramble::models
