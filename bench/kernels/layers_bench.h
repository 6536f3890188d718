// The layers as Google Benchmark's cases.
#pragma once

#include <vector>

#include "bench/kernels/layers.h"

namespace bramble::bench {

/// <op>/<shape>/<pass> for each, and <op>/<shape>/fwd_xnnpack beside each plain one that XNNPACK has.
void register_layers(const std::vector<Layer>& layers);

/// For scripts: a case a line, its FLOPs, its bytes, the plain case that XNNPACK has too or "-", and the models with
/// how often each runs it in a step (0: only as part of another), separated by tabs.
void print_layers(const std::vector<Layer>& layers);

}  // namespace bramble::bench
