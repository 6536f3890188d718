// Winograd for those 3 x 3 convolutions where it is faster than the direct products of convolution.h, chosen from the
// shape alone. The same inputs and outputs as there.
#pragma once

#include <optional>

#include "engine/bind/bind.h"
#include "graph/activation.h"
#include "kernels/conv2d/conv2d.h"
#include "kernels/winograd_conv2d/winograd_conv2d.h"

namespace bramble::engine {

/// Which layers take Winograd, and why, is said in the .cc. The forward's tile; none where it takes direct products.
std::optional<kernels::WinogradTile> winograd_fwd_tile(const kernels::Conv2dShape& shape, bool frozen);
bool takes_winograd_bwd_data(const kernels::Conv2dShape& shape);
bool takes_winograd_bwd_weight(const kernels::Conv2dShape& shape);

Bound bind_winograd_conv2d(const BindContext& context, const kernels::Conv2dShape& shape, kernels::WinogradTile tile,
                           graph::Activation activation);
Bound bind_winograd_conv2d_bwd_data(const BindContext& context, const kernels::Conv2dShape& shape);
Bound bind_winograd_conv2d_bwd_weight(const BindContext& context, const kernels::Conv2dShape& shape);

}  // namespace bramble::engine
