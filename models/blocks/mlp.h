// A transformer's perceptron over the channels, under the names of timm's mlp.py.
#pragma once

#include <string>

#include "graph/builder.h"

namespace bramble::models {

/// NAME.fc1 to four times the channels, the activation, NAME.fc2 back; dropout at `drop_rate` after each.
graph::TensorId mlp(graph::Builder& b, const std::string& name, graph::TensorId x,
                    graph::Activation activation = graph::Activation::gelu, float drop_rate = 0);

}  // namespace bramble::models
