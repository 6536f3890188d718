#pragma once

namespace bramble::graph {

/// One number for both axes, or {height, width}.
struct Extent2d {
  int height;
  int width;
  constexpr Extent2d(int both) : height(both), width(both) {}  // NOLINT: {.padding = 1} is what most layers say
  constexpr Extent2d(int h, int w) : height(h), width(w) {}
};

}  // namespace bramble::graph
