#include "engine/bind/attention_windows.h"

#include <numeric>

namespace bramble::engine {
namespace {

/// As Swin has it: so far below the other scores, e^ of it is nothing beside them.
constexpr float kMasked = -100;

/// Where token `offset` of window `number` lies along one side of the image.
std::int64_t place(const graph::WindowPartition& partition, std::int64_t extent, std::int64_t number,
                   std::int64_t offset) {
  if (partition.kind == graph::WindowPartition::Kind::grid) return offset * (extent / partition.window) + number;
  return (number * partition.window + offset + partition.shift) % extent;
}

}  // namespace

AttentionWindows::AttentionWindows(const graph::WindowPartition& partition, std::int64_t height, std::int64_t width)
    : length_(partition.window * partition.window) {
  if (partition.kind == graph::WindowPartition::Kind::none) {
    length_ = height * width;
    rows_.resize(static_cast<std::size_t>(length_));
    std::iota(rows_.begin(), rows_.end(), std::int64_t{0});
    wraps_ = {kNone};
    return;
  }
  const std::int64_t side = partition.window, down = height / side, across = width / side;
  for (std::int64_t window = 0; window < down * across; ++window) {
    const std::int64_t row = window / across, column = window % across;
    for (std::int64_t token = 0; token < length_; ++token)
      rows_.push_back(place(partition, height, row, token / side) * width +
                      place(partition, width, column, token % side));
    const int wrap = (row == down - 1 ? kRows : kNone) | (column == across - 1 ? kColumns : kNone);
    wraps_.push_back(partition.shift > 0 ? static_cast<Wrap>(wrap) : kNone);
  }
  if (partition.shift == 0) return;
  for (const Wrap wrap : {kColumns, kRows, kBoth}) masks_[wrap] = make_mask(partition, wrap);
}

std::vector<std::int64_t> AttentionWindows::offsets(std::int64_t stride) const {
  std::vector<std::int64_t> all = rows_;
  for (std::int64_t& offset : all) offset *= stride;
  return all;
}

const float* AttentionWindows::mask(std::int64_t window) const {
  const Wrap wrap = wraps_[static_cast<std::size_t>(window)];
  return wrap == kNone ? nullptr : masks_[wrap].data();
}

std::vector<float> AttentionWindows::make_mask(const graph::WindowPartition& partition, Wrap wrap) const {
  const std::int64_t side = partition.window, first_wrapped = side - partition.shift;
  // Tokens see those that wrapped around as they did.
  const auto wrapped = [&](std::int64_t token) {
    return ((wrap & kRows) != 0 && token / side >= first_wrapped ? 2 : 0) +
           ((wrap & kColumns) != 0 && token % side >= first_wrapped ? 1 : 0);
  };
  std::vector<float> mask(static_cast<std::size_t>(length_ * mask_stride()));
  for (std::int64_t key = 0; key < length_; ++key)
    for (std::int64_t query = 0; query < length_; ++query)
      if (wrapped(key) != wrapped(query)) mask[static_cast<std::size_t>(key * mask_stride() + query)] = kMasked;
  return mask;
}

}  // namespace bramble::engine
