// The generator of everything random about data: the same numbers everywhere, from a seed and a place in the stream.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace bramble::engine {

/// splitmix64. Two streams of one seed are unrelated.
class DataRandom {
 public:
  DataRandom(std::uint64_t seed, std::uint64_t stream)
      : state_(seed * 0xd1342543de82ef95ULL + stream * 0xda942042e4dd58b5ULL) {}

  std::uint64_t bits() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  /// In [0, count).
  std::uint64_t below(std::uint64_t count) { return bits() % count; }
  /// In [low, high).
  double uniform(double low, double high) { return low + (high - low) * static_cast<double>(bits() >> 11) * 0x1p-53; }
  bool happens(double probability) { return uniform(0, 1) < probability; }
  /// Mean 0, deviation 1 (Box and Muller, of whose two numbers the first is taken).
  double normal() {
    const double radius = std::sqrt(-2 * std::log(1 - uniform(0, 1)));
    return radius * std::cos(2 * std::numbers::pi * uniform(0, 1));
  }

 private:
  std::uint64_t state_;
};

}  // namespace bramble::engine
