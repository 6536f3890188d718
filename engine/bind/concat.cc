#include "kernels/concat/concat.h"

#include <numeric>
#include <optional>
#include <vector>

#include "engine/bind/activation.h"
#include "engine/bind/channel_sums.h"
#include "engine/bind/ops.h"
#include "engine/bind/slices.h"
#include "engine/layout.h"
#include "graph/ops/concat.h"
#include "kernels/batchnorm/batchnorm.h"

namespace bramble::engine {
namespace {

/// Parts side by side in a tensor of `width` channels.
struct Parts {
  explicit Parts(const std::vector<std::int64_t>& channels)
      : sizes(channels.begin(), channels.end()), width(std::accumulate(sizes.begin(), sizes.end(), std::size_t{0})) {}

  Slices slices(const graph::TensorSpec& whole) const {
    return slice_rows(static_cast<std::size_t>(graph::element_count(whole.shape)) / width, width, 1);
  }
  /// Calls run(part, its channels, its first channel in the whole).
  template <class Run>
  void for_each(Run run) const {
    std::size_t first = 0;
    for (std::size_t i = 0; i < sizes.size(); first += sizes[i], ++i) run(static_cast<int>(i), sizes[i], first);
  }

  std::vector<std::size_t> sizes;
  std::size_t width;
};

/// How a concatenation reads a part.
struct WayIn {
  std::size_t pitch = 0;
  std::optional<kernels::Activation> normalised;
  int mean = 0;  ///< input
};

std::vector<WayIn> ways_in(const BindContext& context, const graph::Concat& op) {
  std::vector<WayIn> ways(op.sizes.size());
  for (int i = 0; i < static_cast<int>(ways.size()); ++i) {
    WayIn& way = ways[static_cast<std::size_t>(i)];
    if (context.has_input(i)) way.pitch = static_cast<std::size_t>(row_stride(context.input(i)));
    if (const auto kind = op.normalisation(i)) way.normalised = to_kernel(*kind), way.mean = op.mean_input(i);
  }
  return ways;
}

}  // namespace

Bound bind_concat(const BindContext& context) {
  const auto& op = context.op<graph::Concat>();
  const Parts parts(op.sizes);
  const Slices slices = parts.slices(context.output(0));
  const auto join = [=, ways = ways_in(context, op)](const Operands& o, std::int64_t task, std::byte*) {
    // Last first: the last part has just been made, and its last rows are still in the caches.
    const std::int64_t slice = slices.count - 1 - task;
    const std::size_t begin = slices.begin(slice), end = slices.end(slice);
    parts.for_each([&](int i, std::size_t channels, std::size_t first) {
      const WayIn& way = ways[static_cast<std::size_t>(i)];
      float* const to = o.out<float>(0) + first;
      if (!way.normalised)
        return kernels::copy_channels_f32(begin, end, channels, o.in<float>(i), way.pitch, to, parts.width);
      const kernels::Normalisation normal = normalisation(o, way.mean, *way.normalised);
      kernels::batchnorm_fwd_strided_f32(normal.activation, end - begin, channels, o.in<float>(i) + begin * way.pitch,
                                         way.pitch, normal.affine, to + begin * parts.width, parts.width);
    });
  };
  return {{{slices.count, join}}};
}

Bound bind_split(const BindContext& context) {
  const Parts parts(context.op<graph::Split>().sizes);
  const Slices slices = parts.slices(context.input(0));
  std::vector<bool> copied(parts.sizes.size());
  for (std::size_t i = 0; i < copied.size(); ++i) copied[i] = context.has_output(static_cast<int>(i));
  const auto copy = [=](const Operands& o, std::int64_t task, std::byte*) {
    parts.for_each([&](int i, std::size_t channels, std::size_t first) {
      if (!copied[static_cast<std::size_t>(i)]) return;
      kernels::copy_channels_f32(slices.begin(task), slices.end(task), channels, o.in<float>(0) + first, parts.width,
                                 o.out<float>(i), channels);
    });
  };
  return {{{slices.count, copy}}};
}

}  // namespace bramble::engine
