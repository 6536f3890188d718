// What conv2d and linear share: a linear layer is a 1 x 1 convolution of an image of one row.
#pragma once

#include "engine/bind/bind.h"
#include "graph/activation.h"
#include "kernels/conv2d/conv2d.h"

namespace bramble::engine {

/// Inputs x, weight, bias, residual; outputs y, z.
Bound bind_convolution(const BindContext& context, const kernels::Conv2dShape& shape, graph::Activation activation);

/// Inputs dy, weight, addend; output dx.
Bound bind_convolution_bwd_data(const BindContext& context, const kernels::Conv2dShape& shape);

/// Inputs x, dy; outputs dw, db, either of which may be unread.
Bound bind_convolution_bwd_weight(const BindContext& context, const kernels::Conv2dShape& shape);

}  // namespace bramble::engine
