// Reverse-mode differentiation: appends a graph's backward to it as ordinary nodes.
#pragma once

#include <functional>
#include <unordered_map>
#include <vector>

#include "graph/graph.h"

namespace bramble::graph {

/// Appends what computes the gradients of `trainable` (parameters) with respect to `loss`, and nothing else: a node is
/// differentiated only if its output depends on a trainable parameter. The gradient of `loss` itself is 1, and the
/// loss op's rule knows that. Returns each trainable parameter's gradient tensor; one that the loss does not depend on
/// has none.
/// `after_gradient(parameter, gradient)` is called as soon as a parameter's gradient is complete and every node that
/// reads the parameter is in the graph, so that its update may be appended right there.
std::unordered_map<TensorId, TensorId> differentiate(
    Graph& graph, TensorId loss, const std::vector<TensorId>& trainable,
    const std::function<void(TensorId parameter, TensorId gradient)>& after_gradient = {});

}  // namespace bramble::graph
