#include "kernels/gate/gate.h"

#include <optional>
#include <vector>

#include "engine/bind/activation.h"
#include "engine/bind/channel_sums.h"
#include "engine/bind/ops.h"
#include "engine/bind/slices.h"
#include "engine/layout.h"
#include "graph/ops/gate.h"

namespace bramble::engine {
namespace {

/// Where x lies: by itself, or in parts that are joined here.
class Sources {
 public:
  Sources(const BindContext& context, const graph::Concat* joined, int x, int first_part, std::int64_t channels) {
    const auto width = [](std::int64_t value) { return static_cast<std::size_t>(value); };
    if (!joined) {
      parts_.push_back({x, width(channels), width(channels), {}, 0});
      return;
    }
    for (int i = 0; i < static_cast<int>(joined->sizes.size()); ++i) {
      const int input = first_part + i;
      parts_.push_back({input,
                        width(joined->sizes[static_cast<std::size_t>(i)]),
                        width(row_stride(context.input(input))),
                        {},
                        first_part + joined->mean_input(i)});
      if (const auto kind = joined->normalisation(i)) parts_.back().normalised = to_kernel(*kind);
    }
  }

  /// Calls run(row, source) for rows [begin, end), each for all parts, so that lines that parts share stay in the
  /// cache.
  template <class Run>
  void for_each_row(const Operands& o, std::size_t begin, std::size_t end, Run run) const {
    for (std::size_t row = begin; row < end; ++row) {
      std::size_t first = 0;
      for (const Part& part : parts_) {
        kernels::Normalisation normal;
        if (part.normalised) normal = normalisation(o, part.mean, *part.normalised);
        run(row, kernels::GateSource{o.in<float>(part.input), first, part.channels, part.pitch,
                                     part.normalised ? &normal : nullptr});
        first += part.channels;
      }
    }
  }

 private:
  struct Part {
    int input;
    std::size_t channels, pitch;
    std::optional<kernels::Activation> normalised;
    int mean;  ///< input
  };
  std::vector<Part> parts_;
};

kernels::GateShape gate_shape(const graph::Shape& x, const graph::Shape& gate) {
  const auto extent = [](std::int64_t value) { return static_cast<std::size_t>(value); };
  return {extent(x[0]), extent(x[1]), extent(x[2]), extent(x[3]), extent(gate[1]), extent(gate[2])};
}

}  // namespace

Bound bind_gate(const BindContext& context) {
  const auto shape = gate_shape(context.output(0).shape, context.input(1).shape);
  const Slices slices = slice_rows(shape.batch * shape.height, shape.width * shape.channels, 1);
  const Sources sources(context, context.op<graph::Gate>().joined.get(), 0, graph::Gate::kFirstPart,
                        context.output(0).shape[3]);
  const auto run = [=](const Operands& o, std::int64_t task, std::byte*) {
    sources.for_each_row(o, slices.begin(task), slices.end(task), [&](std::size_t row, const auto& source) {
      kernels::gate_fwd_f32(shape, row, row + 1, source, o.in<float>(1), o.out<float>(0));
    });
  };
  return {{{slices.count, run}}};
}

Bound bind_gate_bwd(const BindContext& context) {
  enum { kDy, kX, kGate };
  enum { kDx, kDgate };
  const auto shape = gate_shape(context.input(kDy).shape, context.input(kGate).shape);
  const Slices slices =
      slice_rows(shape.batch * shape.gate_height, shape.height / shape.gate_height * shape.width * shape.channels, 1);
  const Sources sources(context, context.op<graph::GateBwd>().joined.get(), kX, graph::GateBwd::kFirstPart,
                        context.input(kDy).shape[3]);
  const auto run = [=](const Operands& o, std::int64_t task, std::byte*) {
    sources.for_each_row(o, slices.begin(task), slices.end(task), [&](std::size_t row, const auto& source) {
      kernels::gate_bwd_f32(shape, row, row + 1, o.in<float>(kDy), source, o.in<float>(kGate), o.out<float>(kDx),
                            o.out<float>(kDgate));
    });
  };
  return {{{slices.count, run}}};
}

}  // namespace bramble::engine
