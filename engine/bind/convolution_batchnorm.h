// Convolutions that take over what a BatchNorm beside them would do in passes of its own: its sums on the way out, its
// normalisation on the way in.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/bind/bind.h"
#include "engine/bind/channel_sums.h"
#include "graph/activation.h"
#include "kernels/conv2d/conv2d.h"

namespace bramble::engine {

/// As bind_convolution for a conv2d node (inputs mean, scale, beta from 4 on; output 2 the channel sums).
Bound bind_convolution_batchnorm(const BindContext& context, const kernels::Conv2dShape& shape,
                                 graph::Activation activation, std::optional<graph::Activation> normalisation);

struct SumTask {
  std::int64_t part = 0;
  kernels::ConvSlice slice;
};

/// Each part of the sums is one range of rows, in as many ranges of columns as it takes to keep four cores busy.
std::vector<SumTask> cut_sums(std::int64_t cols, std::int64_t groups, const SumParts& parts);

/// Rows of one block of a fused pass: that many that `row_elements` floats a row stay in five eighths of L2, in whole tiles.
std::int64_t fused_row_block(const BindContext& context, std::int64_t row_elements,
                             const kernels::ConvBlocking& blocking);

}  // namespace bramble::engine
