// Position embeddings and biases that a perceptron makes of coordinates, as FasterViT has them (its classes
// PosEmbMLPSwinv1D and PosEmbMLPSwinv2D).
#pragma once

#include <string>

#include "graph/builder.h"

namespace bramble::models {

/// [1, side * side, channels]: NAME.cpb_mlp.0, ReLU and NAME.cpb_mlp.2 of each token's place in the square.
graph::TensorId position_embedding(graph::Builder& b, const std::string& name, std::int64_t side, int channels);

/// Attention's bias of a window of side x side tokens after `prefix` others: 16 times the sigmoid of what the
/// perceptron makes of how far a key lies from a query, on a logarithmic scale (Swin V2).
graph::TensorId relative_position_mlp(graph::Builder& b, const std::string& name, std::int64_t side,
                                      std::int64_t prefix, int heads);

}  // namespace bramble::models
