// Which entry of a table of relative positions each pair of a key and a query takes.
#pragma once

#include <cstdint>

#include "graph/ops/relative_position_bias.h"

namespace bramble::models {

/// What a table counts its rows and columns by.
enum class Offset : std::uint8_t {
  query_minus_key,  ///< Swin, FasterViT
  key_minus_query,  ///< MaxViT, as TensorFlow has it
};

/// Of a window of side x side tokens with a table of (2 side - 1) x (2 side - 1) entries, row-major. `prefix` tokens
/// before them have a bias of 0.
graph::RelativePositionAttributes relative_positions(std::int64_t side, Offset offset, std::int64_t prefix = 0);

}  // namespace bramble::models
