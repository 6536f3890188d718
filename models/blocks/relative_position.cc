#include "models/blocks/relative_position.h"

namespace bramble::models {

graph::RelativePositionAttributes relative_positions(std::int64_t side, Offset offset, std::int64_t prefix) {
  const std::int64_t length = prefix + side * side, row_entries = 2 * side - 1;
  const auto entry = [&](std::int64_t from, std::int64_t to) {
    const std::int64_t rows = to / side - from / side, columns = to % side - from % side;
    return (rows + side - 1) * row_entries + columns + side - 1;
  };
  graph::RelativePositionAttributes attributes;
  attributes.length = length;
  for (std::int64_t key = 0; key < length; ++key)
    for (std::int64_t query = 0; query < length; ++query) {
      const std::int64_t k = key - prefix, q = query - prefix;
      const bool apart = k < 0 || q < 0;
      const std::int64_t found = apart ? -1 : offset == Offset::query_minus_key ? entry(k, q) : entry(q, k);
      attributes.index.push_back(static_cast<std::int32_t>(found));
    }
  return attributes;
}

}  // namespace bramble::models
