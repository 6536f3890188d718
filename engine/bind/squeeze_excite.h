// What the two bindings of squeeze-excite share.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "engine/bind/activation.h"
#include "engine/bind/bind.h"
#include "engine/bind/channel_sums.h"
#include "engine/bind/product_cuts.h"
#include "graph/ops/squeeze_excite.h"
#include "kernels/squeeze_excite/squeeze_excite.h"

namespace bramble::engine {

/// Images [batch][pixels][channels], read through a BatchNorm if `way_in` says so.
struct SqueezeExciteImages {
  SqueezeExciteImages(const graph::Shape& x, const graph::SqueezeExciteAttributes& attributes)
      : batch(x[0]),
        pixels(x[1] * x[2]),
        channels(x[3]),
        reduced(attributes.reduced),
        cuts(std::clamp<std::int64_t>((kTaskGoal + batch - 1) / batch, 1, (channels + 15) / 16)) {
    if (attributes.normalisation) way_in = to_kernel(*attributes.normalisation);
  }

  /// Tasks that each sum some channels of one image: whole cache lines of them, fewer where there are few images.
  std::int64_t sum_tasks() const { return batch * cuts; }
  std::int64_t image(std::int64_t task) const { return task / cuts; }
  std::int64_t channel_begin(std::int64_t task) const { return cut(task % cuts); }
  std::int64_t channel_end(std::int64_t task) const { return cut(task % cuts + 1); }

  kernels::Normalisation normal(const Operands& operands, int mean) const {
    return way_in ? normalisation(operands, mean, *way_in) : kernels::Normalisation{};
  }
  kernels::SqueezeExciteSource source(const float* x, std::int64_t n, const kernels::Normalisation& normal) const {
    return {static_cast<std::size_t>(channels), x + n * pixels * channels, way_in ? &normal : nullptr};
  }

  std::int64_t batch, pixels, channels, reduced;
  std::int64_t cuts;
  std::optional<kernels::Activation> way_in;

 private:
  std::int64_t cut(std::int64_t i) const { return std::min(channels, (channels + 15) / 16 * i / cuts * 16); }
};

}  // namespace bramble::engine
