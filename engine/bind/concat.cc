#include "kernels/concat/concat.h"

#include <numeric>

#include "engine/bind/ops.h"
#include "engine/bind/slices.h"
#include "graph/ops/concat.h"

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

}  // namespace

Bound bind_concat(const BindContext& context) {
  const Parts parts(context.op<graph::Concat>().sizes);
  const Slices slices = parts.slices(context.output(0));
  return {{{slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
             parts.for_each([&](int i, std::size_t channels, std::size_t first) {
               kernels::copy_channels_f32(slices.begin(task), slices.end(task), channels, o.in<float>(i), channels,
                                          o.out<float>(0) + first, parts.width);
             });
           }}}};
}

Bound bind_split(const BindContext& context) {
  const Parts parts(context.op<graph::Split>().sizes);
  const Slices slices = parts.slices(context.input(0));
  return {{{slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
             parts.for_each([&](int i, std::size_t channels, std::size_t first) {
               if (o.out<float>(i) == nullptr) return;
               kernels::copy_channels_f32(slices.begin(task), slices.end(task), channels, o.in<float>(0) + first,
                                          parts.width, o.out<float>(i), channels);
             });
           }}}};
}

}  // namespace bramble::engine
