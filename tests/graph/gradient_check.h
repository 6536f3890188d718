// Finite differences through a real program: graph, differentiation, plan, kernels.
#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace bramble::test {

/// What a case builds its graph with. Every float tensor is a parameter, so that each one's gradient is checked.
class GradientCaseBuilder {
 public:
  /// Filled with uniform values in [low, high], none nearer to 0 than `gap` (where an op has a kink there).
  graph::TensorId parameter(graph::Shape shape, float low = -1, float high = 1, float gap = 0);
  graph::TensorId weight(graph::Shape shape, graph::Layout layout, int groups = 1);
  /// Not differentiated.
  graph::TensorId buffer(graph::Shape shape, float value);
  /// i32, n mod classes.
  graph::TensorId labels(std::int64_t count, std::int32_t classes);

  std::vector<graph::TensorId> node(graph::OpPtr op, std::vector<graph::TensorId> inputs);

  graph::Graph graph;
  std::vector<graph::TensorId> parameters;
  std::vector<std::vector<float>> values;  ///< in PyTorch's order, one a parameter
  std::vector<std::pair<graph::TensorId, float>> buffers;
  std::vector<std::pair<graph::TensorId, std::int32_t>> label_classes;
};

struct GradientCase {
  std::string name;
  /// Returns the output that is differentiated.
  std::function<graph::TensorId(GradientCaseBuilder&)> build;
  float step = 2e-3F;       ///< how far each element moves
  double tolerance = 5e-3;  ///< of the gradient's norm
  bool is_loss = false;     ///< the output is a loss, whose gradient is 1
};

/// How GoogleTest names a case that failed.
inline void PrintTo(const GradientCase& gradient_case, std::ostream* out) { *out << gradient_case.name; }

/// Along each parameter's own gradient, and along a random direction, the central difference of sum(dy * y) must be
/// what the gradient says; y and all gradients must be the same bits for 1 to 4 threads, and with every tensor in
/// memory of its own. Failures are GoogleTest's.
void check_gradients(const GradientCase& gradient_case);

}  // namespace bramble::test
