#include "models/blocks/mlp.h"

namespace bramble::models {

graph::TensorId mlp(graph::Builder& b, const std::string& name, graph::TensorId x, graph::Activation activation) {
  constexpr int kRatio = 4;
  const int channels = static_cast<int>(b.channels(x));
  return b.linear(name + ".fc2", b.activation(b.linear(name + ".fc1", x, kRatio * channels), activation), channels);
}

}  // namespace bramble::models
