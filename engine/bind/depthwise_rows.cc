#include "engine/bind/depthwise_rows.h"

#include <algorithm>

#include "engine/bind/product_cuts.h"
#include "kernels/gemm/gemm.h"

namespace bramble::engine {
namespace {

using kernels::DepthwiseConv2dShape;

/// Pixels that are summed up for BatchNorm in float before they go to double, about, in whole rows: among lengths that
/// are as good, one with which the golden files of MnasNet and MobileNetV3 pass, which turn on activations nearer to
/// ReLU's kink than float32's error. A turn of a pass has as many, or two rows: few enough that its steps find each
/// other's results in the cache.
constexpr std::int64_t kSummedPixels = 70;

/// Channels of a cache line, and so many that a pixel's are worth a trip to memory.
constexpr std::int64_t kLine = 16;
constexpr std::int64_t kFewestChannels = 64;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

std::int64_t largest_divisor(std::int64_t of, std::int64_t most) {
  while (of % most != 0) --most;
  return most;
}

std::int64_t extent(const DepthwiseConv2dShape& shape) { return (shape.kernel_height - 1) * shape.dilation; }

}  // namespace

RowSpan gathered_rows(const DepthwiseConv2dShape& shape, RowSpan of) {
  const std::int64_t top = of.begin * shape.stride - shape.padding_height;
  const std::int64_t bottom = (of.end - 1) * shape.stride - shape.padding_height + extent(shape);
  return {std::max<std::int64_t>(top, 0), std::min(bottom + 1, shape.in_height)};
}

RowSpan source_rows(const DepthwiseConv2dShape& shape, RowSpan of) {
  return {of.begin * shape.in_height / shape.out_height, of.end * shape.in_height / shape.out_height};
}

RowSpan gathered_gradient_rows(const DepthwiseConv2dShape& shape, RowSpan of) {
  if (of.count() == 0) return {};
  const std::int64_t top = std::max<std::int64_t>(of.begin + shape.padding_height - extent(shape), 0);
  const std::int64_t bottom = of.end - 1 + shape.padding_height;
  return {(top + shape.stride - 1) / shape.stride, std::min(bottom / shape.stride + 1, shape.out_height)};
}

DepthwiseTasks::DepthwiseTasks(const DepthwiseConv2dShape& shape, std::int64_t most_parts, bool in_place,
                               const DepthwiseTraffic& traffic, std::size_t l2_bytes)
    : height(shape.out_height),
      channels(shape.channels),
      total(shape.batch * shape.out_height),
      summed_rows(std::max<std::int64_t>(1, kSummedPixels / shape.out_width)),
      // The kernels take two rows at once where outputs are one pixel apart.
      turn(shape.stride == 1 && summed_rows == 1 ? 2 : summed_rows) {
  const auto cache = static_cast<std::int64_t>(l2_bytes / sizeof(float)) / 8 * 5;
  const auto fitting = [&](std::int64_t rows) { return std::max(cache / (rows * shape.in_width), kLine); };
  if (in_place) {
    block = kernels::round_up(ceil_div(channels, ceil_div(channels, fitting(extent(shape) + 1))), kLine);
    channel_blocks = ceil_div(channels, block);
    parts = std::min(kTaskGoal, total);
    return;
  }
  const std::int64_t window = (summed_rows - 1) * shape.stride + extent(shape) + 1;
  const std::int64_t live_rows = traffic.streams * summed_rows * shape.stride + traffic.windows * window;
  parts = most_parts < shape.batch ? largest_divisor(shape.batch, most_parts) : shape.batch;
  const std::int64_t wanted = std::min(ceil_div(kTaskGoal, parts), ceil_div(channels, kFewestChannels));
  block = kernels::round_up(ceil_div(channels, std::max(ceil_div(channels, fitting(live_rows)), wanted)), kLine);
  channel_blocks = ceil_div(channels, block);
  if (count() < kTaskGoal) parts = std::min({parts * ceil_div(kTaskGoal, count()), most_parts, total});
}

}  // namespace bramble::engine
