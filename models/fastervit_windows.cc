#include "models/fastervit_windows.h"

namespace bramble::models {
namespace {

using graph::TokenLists;

/// run(row, column, number), row by row.
template <class Run>
void for_each_place(std::int64_t side, Run run) {
  for (std::int64_t row = 0; row < side; ++row)
    for (std::int64_t column = 0; column < side; ++column)
      run(row, column, static_cast<std::int32_t>(row * side + column));
}

}  // namespace

std::int32_t CarrierWindows::at(std::int64_t window_row, std::int64_t window_column, std::int64_t token) const {
  return static_cast<std::int32_t>((window_row * across_ + window_column) * kLength + token);
}

std::int32_t CarrierWindows::image_token(std::int64_t row, std::int64_t column) const {
  return at(row / kWindow, column / kWindow, kPrefix + row % kWindow * kWindow + column % kWindow);
}

std::int32_t CarrierWindows::carrier(std::int64_t row, std::int64_t column) const {
  return at(row / kCarriers, column / kCarriers, row % kCarriers * kCarriers + column % kCarriers);
}

/// The image's tokens come from source(row, column, number), the carriers from first_carrier on.
template <class Source>
TokenLists CarrierWindows::windowed(std::int64_t first_carrier, Source source) const {
  std::vector<std::int32_t> rows(static_cast<std::size_t>(tokens()));
  for_each_place(image_side(), [&](std::int64_t row, std::int64_t column, std::int32_t number) {
    rows[static_cast<std::size_t>(image_token(row, column))] = source(row, column, number);
  });
  for_each_place(carrier_side(), [&](std::int64_t row, std::int64_t column, std::int32_t number) {
    rows[static_cast<std::size_t>(carrier(row, column))] = static_cast<std::int32_t>(first_carrier + number);
  });
  TokenLists lists;
  for (const std::int32_t row : rows) lists.add({row});
  return lists;
}

TokenLists CarrierWindows::from_image() const {
  return windowed(image_side() * image_side(), [](auto, auto, std::int32_t number) { return number; });
}

TokenLists CarrierWindows::with_new_carriers() const {
  return windowed(tokens(), [&](auto row, auto column, auto) { return image_token(row, column); });
}

TokenLists CarrierWindows::image() const {
  TokenLists lists;
  for_each_place(image_side(), [&](auto row, auto column, auto) { lists.add({image_token(row, column)}); });
  return lists;
}

TokenLists CarrierWindows::carriers() const {
  TokenLists lists;
  for_each_place(carrier_side(), [&](auto row, auto column, auto) { lists.add({carrier(row, column)}); });
  return lists;
}

TokenLists CarrierWindows::spread_carriers() const {
  const auto nearest = [](std::int64_t place) {
    return place / kWindow * kCarriers + place % kWindow * kCarriers / kWindow;
  };
  TokenLists lists;
  for_each_place(image_side(),
                 [&](auto row, auto column, auto) { lists.add({carrier(nearest(row), nearest(column))}); });
  return lists;
}

}  // namespace bramble::models
