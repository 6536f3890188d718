// FasterViT's third level holds its tokens window after window, of each the carriers and then the image's: where each
// lies, and the moves in and out.
#pragma once

#include <cstdint>

#include "graph/ops/gather_tokens.h"

namespace bramble::models {

class CarrierWindows {
 public:
  static constexpr std::int64_t kWindow = 7;    ///< image tokens of a window's side
  static constexpr std::int64_t kCarriers = 2;  ///< carriers of a window's side
  static constexpr std::int64_t kPrefix = kCarriers * kCarriers;
  static constexpr std::int64_t kLength = kPrefix + kWindow * kWindow;

  /// Of images of so many windows' side.
  explicit CarrierWindows(std::int64_t windows_across) : across_(windows_across) {}

  std::int64_t image_side() const { return across_ * kWindow; }
  std::int64_t carrier_side() const { return across_ * kCarriers; }
  std::int64_t windows() const { return across_ * across_; }
  std::int64_t tokens() const { return windows() * kLength; }

  // Sequences of the windows' tokens, made of …
  graph::TokenLists from_image() const;         ///< … the image's, row by row, and the carriers, row by row
  graph::TokenLists with_new_carriers() const;  ///< … the windows' own, and other carriers, row by row
  // Out of the windows' tokens, row by row:
  graph::TokenLists image() const;
  graph::TokenLists carriers() const;
  graph::TokenLists spread_carriers() const;  ///< for each of the image's tokens the nearest carrier of its window

 private:
  std::int32_t image_token(std::int64_t row, std::int64_t column) const;
  std::int32_t carrier(std::int64_t row, std::int64_t column) const;
  std::int32_t at(std::int64_t window_row, std::int64_t window_column, std::int64_t token) const;
  template <class Source>
  graph::TokenLists windowed(std::int64_t first_carrier, Source source) const;

  std::int64_t across_;
};

}  // namespace bramble::models
