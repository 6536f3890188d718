#include "bench/kernels/layers_bench.h"

#include <cstdio>

#include "bench/kernels/bound_node.h"
#include "bench/kernels/measure.h"
#include "bench/kernels/xnnpack_peer.h"

namespace bramble::bench {

void register_layers(const std::vector<Layer>& layers) {
  for (const Layer& layer : layers) {
    const Work work{layer.flops, layer.bytes};
    benchmark::RegisterBenchmark(layer.name.c_str(), [=](benchmark::State& state) {
      BoundNode node(layer);
      measure(state, work, [&] { node.run(); });
    })->Unit(benchmark::kMillisecond);
    if (!layer.is_plain()) continue;
    benchmark::RegisterBenchmark((layer.name + "_xnnpack").c_str(), [=](benchmark::State& state) {
      XnnpackConv2d peer(*layer.peer);
      measure(state, work, [&] { peer.run(); });
    })->Unit(benchmark::kMillisecond);
  }
}

void print_layers(const std::vector<Layer>& layers) {
  for (const Layer& layer : layers) {
    std::printf("%s\t%.0f\t%.0f\t%s\t", layer.name.c_str(), layer.flops, layer.bytes,
                layer.peer ? layer.plain.c_str() : "-");
    for (const LayerUse& use : layer.uses)
      std::printf("%s%s:%d", &use == layer.uses.data() ? "" : ",", use.model.c_str(), use.count);
    std::printf("\n");
  }
}

}  // namespace bramble::bench
