#include "engine/bind/channel_sums.h"

namespace bramble::engine {

Phase channel_sums_phase(const graph::TensorSpec& y, const graph::TensorSpec& sums, int y_output, int sums_output) {
  const std::int64_t channels = y.shape.back();
  const SumParts parts{graph::element_count(y.shape) / channels, sums.shape[0]};
  return {parts.count, [=](const Operands& operands, std::int64_t part, std::byte*) {
            const PartSums out(operands.out<double>(sums_output), part, channels);
            out.clear(0, channels);
            out.add(operands.out<float>(y_output), parts.begin(part), parts.end(part), 0, channels);
          }};
}

}  // namespace bramble::engine
