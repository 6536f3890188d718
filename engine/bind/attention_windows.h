// Which of an image's tokens each window of attention has, and which of them may not see each other: computed once.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "graph/ops/attention.h"

namespace bramble::engine {

class AttentionWindows {
 public:
  /// Of images of height x width tokens; not partitioned, an image is one window.
  AttentionWindows(const graph::WindowPartition& partition, std::int64_t height, std::int64_t width);

  /// For each window, for each of its tokens: where it lies in the image, whose tokens are `stride` floats apart.
  std::vector<std::int64_t> offsets(std::int64_t stride) const;
  /// What is added to a window's scores, [keys][mask_stride()]; null where all its tokens are neighbours.
  const float* mask(std::int64_t window) const;
  std::int64_t mask_stride() const { return (length_ + 3) / 4 * 4; }

 private:
  /// What of a shifted window comes from the image's other end: its last columns, last rows, both.
  enum Wrap : std::uint8_t { kNone, kColumns, kRows, kBoth };
  std::vector<float> make_mask(const graph::WindowPartition& partition, Wrap wrap) const;

  std::int64_t length_;
  std::vector<std::int64_t> rows_;  // [windows][length], counted among the image's tokens
  std::vector<Wrap> wraps_;         // of each window
  std::array<std::vector<float>, 4> masks_;
};

}  // namespace bramble::engine
