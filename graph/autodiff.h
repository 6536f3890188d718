// Reverse-mode differentiation: appends a graph's backward to it as ordinary nodes.
#pragma once

#include <functional>
#include <unordered_map>
#include <vector>

#include "graph/graph.h"

namespace bramble::graph {

/// Where differentiation starts: `output`'s gradient is the tensor `gradient`; with kNoTensor it is 1, and the rule of
/// the op that makes `output` (a loss) knows that.
struct Seed {
  TensorId output = kNoTensor;
  TensorId gradient = kNoTensor;
};

/// Appends what computes the gradients of `trainable` (parameters), and nothing else: a node is differentiated only if
/// its output depends on a trainable parameter. Returns each trainable parameter's gradient tensor; one that no seed
/// depends on has none.
/// `after_gradient(parameter, gradient)` is called as soon as a parameter's gradient is complete and every node that
/// reads the parameter is in the graph, so that its update may be appended right there.
std::unordered_map<TensorId, TensorId> differentiate(
    Graph& graph, const std::vector<Seed>& seeds, const std::vector<TensorId>& trainable,
    const std::function<void(TensorId parameter, TensorId gradient)>& after_gradient = {});

}  // namespace bramble::graph
