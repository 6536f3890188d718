// The layers as Google Benchmark's cases.
#pragma once

#include <vector>

#include "bench/kernels/layers.h"

namespace bramble::bench {

/// <op>/<shape>/<pass> for each, and <op>/<shape>/fwd_xnnpack where XNNPACK has an operator.
void register_layers(const std::vector<Layer>& layers);

/// For scripts: a case a line, its FLOPs, its bytes, whether XNNPACK has it, and the models, separated by tabs.
void print_layers(const std::vector<Layer>& layers);

}  // namespace bramble::bench
