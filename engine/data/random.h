// The generator of everything random about data: the same numbers everywhere, from a seed and a place in the stream.
#pragma once

#include <cstdint>

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

 private:
  std::uint64_t state_;
};

}  // namespace bramble::engine
