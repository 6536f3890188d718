// The memory plan: where in one arena every tensor of a step lies, so that tensors that are never alive together share.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "graph/graph.h"

namespace bramble::graph {

/// Where a tensor's values are.
struct Placement {
  enum class Where : std::uint8_t {
    nowhere,  ///< nobody reads it: it is not computed
    own,      ///< persistent, an input, or kept: memory of its own
    arena,    ///< at `offset` in the arena
    view_of,  ///< the memory of tensor `target`, which is `own`
  };
  Where where = Where::nowhere;
  std::size_t offset = 0;  ///< bytes; of a view those from its target's first
  TensorId target = kNoTensor;
};

struct Plan {
  std::vector<Placement> placements;  ///< one a tensor
  std::size_t arena_bytes = 0;
};

/// Bytes that a tensor takes; the engine knows the layouts.
using SizeOf = std::function<std::size_t(const TensorSpec&)>;

/// Lifetimes run from the node that writes a tensor to the last that reads it. An op that may work in place takes over
/// its input's memory if that dies there. Buffers are placed largest first, each at the lowest offset that is free
/// throughout its life (Pisarchyk & Lee, "Efficient memory management for deep neural net inference", 2020,
/// greedy by size).
/// With `share` false no two tensors share memory, views apart: what the plan is checked against.
Plan plan_memory(const Graph& graph, const SizeOf& size_of, bool share = true);

}  // namespace bramble::graph
