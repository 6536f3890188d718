#include "models/blocks/mlp.h"

namespace bramble::models {

graph::TensorId mlp(graph::Builder& b, const std::string& name, graph::TensorId x, graph::Activation activation,
                    float drop_rate) {
  constexpr int kRatio = 4;
  const int channels = static_cast<int>(b.channels(x));
  x = b.activation(b.linear(name + ".fc1", x, kRatio * channels), activation);
  return b.dropout(b.linear(name + ".fc2", b.dropout(x, drop_rate), channels), drop_rate);
}

}  // namespace bramble::models
