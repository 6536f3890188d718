// How a depthwise convolution is divided, and rings of the rows that are made on the way in: those of x that come through a
// BatchNorm, those of dy that come through a BatchNorm's backward.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/depthwise_conv2d/depthwise_conv2d.h"

namespace bramble::engine {

/// Rows of one image, [begin, end).
struct RowSpan {
  std::int64_t begin = 0, end = 0;
  std::int64_t count() const { return std::max<std::int64_t>(end - begin, 0); }
};

/// The rows of x that rows `of` of y gather, inside the image.
RowSpan gathered_rows(const kernels::DepthwiseConv2dShape& shape, RowSpan of);
/// The rows of dx that go with rows `of` of dy: each goes with one, so that all dx is made where all dy is gone through.
RowSpan source_rows(const kernels::DepthwiseConv2dShape& shape, RowSpan of);
/// The rows of dy that rows `of` of dx gather, inside the image.
RowSpan gathered_gradient_rows(const kernels::DepthwiseConv2dShape& shape, RowSpan of);

/// One call's share: rows of one image's y, and channels.
struct DepthwiseTurn {
  std::int64_t image = 0;
  RowSpan rows;
  std::int64_t channel_begin = 0, channel_end = 0;

  /// The channels of rows `of` of the image in a tensor whose images have `height` rows.
  kernels::DepthwiseSlice slice(RowSpan of, std::int64_t height) const {
    return {image * height + of.begin, image * height + of.end, channel_begin, channel_end};
  }
};

/// What a pass wants to find in L2: tensors that it goes through once, and those of whose rows it reads each several
/// times, as many as the kernel is high.
struct DepthwiseTraffic {
  std::int64_t streams = 0, windows = 0;
};

/// Tasks: `parts` of the rows of all images' y, each in blocks of channels that fit L2. A part is whole images where it can
/// be, so that few rows are made on the way in twice.
class DepthwiseTasks {
 public:
  /// `in_place`: no row is made on the way in, and no sums are taken. Then rows are divided rather than channels: a row
  /// of tiles takes as long to begin for a few channels as for many.
  DepthwiseTasks(const kernels::DepthwiseConv2dShape& shape, std::int64_t most_parts, bool in_place,
                 const DepthwiseTraffic& traffic, std::size_t l2_bytes);

  std::int64_t count() const { return parts * channel_blocks; }
  // All parts of one block after the other: the last block's tasks, which may be smaller, end the phase.
  std::int64_t part_of(std::int64_t task) const { return task % parts; }
  std::int64_t channel_begin(std::int64_t task) const { return task / parts * block; }
  std::int64_t channel_end(std::int64_t task) const { return std::min(channel_begin(task) + block, channels); }
  std::int64_t channel_count(std::int64_t task) const { return channel_end(task) - channel_begin(task); }

  /// Calls run(turn) for a task's turns, a few rows of one image each.
  template <class Run>
  void for_each_turn(std::int64_t task, Run run) const {
    const std::int64_t part = part_of(task), last = total * (part + 1) / parts;
    for (std::int64_t row = total * part / parts, end = 0; row < last; row = end) {
      end = std::min({row + turn, last, (row / height + 1) * height});
      const std::int64_t image = row / height, before = image * height;
      run(DepthwiseTurn{image, {row - before, end - before}, channel_begin(task), channel_end(task)});
    }
  }

  /// Calls run(rows) for a turn's rows, by as many as are summed up at once.
  template <class Run>
  void for_each_sum(const DepthwiseTurn& of, Run run) const {
    for (std::int64_t row = of.rows.begin, end = 0; row < of.rows.end; row = end) {
      end = std::min(row + summed_rows, of.rows.end);
      run(RowSpan{row, end});
    }
  }

  /// The most rows that rows_of(a turn's rows) has.
  template <class RowsOf>
  std::int64_t most_rows(RowsOf rows_of) const {
    std::int64_t rows = 0;
    for (std::int64_t row = 0; row < height; ++row)
      rows = std::max(rows, rows_of(RowSpan{row, std::min(row + turn, height)}).count());
    return rows;
  }

  std::int64_t height, channels, total;  // rows of an image, of all
  std::int64_t summed_rows;              // rows of y that BatchNorm's sums take at once
  std::int64_t turn;                     // rows of a turn
  std::int64_t parts = 1, channel_blocks = 1, block = 0;
};

/// Rows of an image, row r at r % capacity, as long as the next turn may need them. A task's turns go downwards.
class RowRing {
 public:
  RowRing(float* rows, std::int64_t capacity, std::int64_t row_elements)
      : rows_(rows), capacity_(capacity), row_elements_(row_elements) {}

  /// make(row, where) for those of `rows` that are not there yet.
  template <class Make>
  void prepare(std::int64_t image, RowSpan rows, Make make) {
    if (image != image_) image_ = image, next_ = 0;
    next_ = std::max(next_, rows.begin);
    for (; next_ < rows.end; ++next_) make(next_, rows_ + next_ % capacity_ * row_elements_);
  }

  const float* rows() const { return rows_; }

 private:
  float* rows_;
  std::int64_t capacity_, row_elements_;
  std::int64_t image_ = -1;
  std::int64_t next_ = 0;
};

}  // namespace bramble::engine
