// Philox 4x32-10, the counter-based generator of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (2011): four
// random words are a function of a counter and a key alone, so that any part of a sequence can be had, or had again, by
// any thread.
#pragma once

#include <array>
#include <cstdint>

namespace bramble::kernels {

namespace philox {
inline constexpr int kRounds = 10;
inline constexpr std::uint32_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
inline constexpr std::uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
}  // namespace philox

/// Four words for `counter` and `key`.
inline std::array<std::uint32_t, 4> philox_4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < philox::kRounds; ++round) {
    const std::uint64_t a = std::uint64_t{philox::kMultiplier0} * counter[0];
    const std::uint64_t b = std::uint64_t{philox::kMultiplier1} * counter[2];
    counter = {static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(b),
               static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(a)};
    key[0] += philox::kWeyl0;
    key[1] += philox::kWeyl1;
  }
  return counter;
}

/// One sequence of random words, of a layer in a step: word i is philox_4x32({i / 4, i / 4 >> 32, layer, step}, seed)[i % 4].
struct RandomStream {
  std::uint64_t seed = 0;
  std::uint32_t layer = 0;
  std::uint32_t step = 0;

  std::array<std::uint32_t, 2> key() const {
    return {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
  }
  std::array<std::uint32_t, 4> counter(std::uint64_t block) const {
    return {static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32), layer, step};
  }
  std::uint32_t word(std::uint64_t i) const { return philox_4x32(counter(i / 4), key())[i % 4]; }
};

/// words[i] (=) stream.word(first + i), i < 16; first is a multiple of 4.
void random_words(const RandomStream& stream, std::uint64_t first, std::uint32_t* words);

/// What is dropped with probability `rate` is where a word lies below this.
constexpr std::uint32_t drop_threshold(float rate) {
  return static_cast<std::uint32_t>(static_cast<double>(rate) * 4294967296.0);
}

}  // namespace bramble::kernels
