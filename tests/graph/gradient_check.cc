#include "tests/graph/gradient_check.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <span>

#include "engine/layout.h"
#include "engine/program.h"
#include "graph/autodiff.h"
#include "graph/fuse.h"
#include "graph/fuse_batchnorm.h"
#include "graph/fuse_concat.h"
#include "graph/fuse_gate.h"
#include "graph/spread_rows.h"
#include "graph/view_parts.h"
#include "tests/support/random.h"

namespace bramble::test {
namespace {

using engine::MemoryMode;
using engine::Program;
using graph::TensorId;

struct Differentiated {
  graph::Graph graph;
  std::vector<TensorId> parameters;
  std::vector<std::pair<TensorId, float>> buffers;
  std::vector<std::pair<TensorId, std::int32_t>> label_classes;
  std::unordered_map<TensorId, TensorId> gradients;
  TensorId y = graph::kNoTensor;
  TensorId dy = graph::kNoTensor;
};

Differentiated differentiate(const GradientCaseBuilder& builder, TensorId y, bool is_loss) {
  Differentiated result{builder.graph,   builder.parameters, builder.buffers, builder.label_classes, {}, y,
                        graph::kNoTensor};
  if (!is_loss) result.dy = result.graph.add_tensor({"dy", result.graph.tensor(y).spec, graph::Role::input});
  result.graph.keep(y);
  result.gradients = graph::differentiate(result.graph, {{y, result.dy}}, result.parameters);
  for (const auto& [parameter, gradient] : result.gradients) result.graph.keep(gradient);
  graph::fuse_gelu_gradients(result.graph);
  graph::fuse_gradient_sums(result.graph);
  graph::fuse_batchnorm(result.graph);
  graph::fuse_gate(result.graph);
  graph::fuse_concat(result.graph);
  graph::spread_rows(result.graph);
  graph::view_parts(result.graph);
  return result;
}

class Run {
 public:
  Run(const Differentiated& differentiated, int threads, MemoryMode mode)
      : d_(differentiated), program_(differentiated.graph, threads, mode) {
    for (const auto& [id, value] : d_.buffers) std::ranges::fill(storage(id), value);
    for (const auto& [id, classes] : d_.label_classes)
      for (std::int64_t n = 0; n < graph::element_count(d_.graph.tensor(id).spec.shape); ++n)
        static_cast<std::int32_t*>(program_.data(id))[n] = static_cast<std::int32_t>(n) % classes;
    if (d_.dy == graph::kNoTensor) return;
    const std::vector<float> dy = uniform(storage(d_.dy).size(), 99);
    std::ranges::copy(dy, storage(d_.dy).begin());
  }

  void set(std::size_t parameter, const std::vector<float>& torch) {
    const TensorId id = d_.parameters[parameter];
    engine::import_torch(d_.graph.tensor(id).spec, torch, storage(id));
  }

  /// sum(dy * y), after a run.
  double value() {
    program_.run();
    const auto y = storage(d_.y);
    if (d_.dy == graph::kNoTensor) return y[0];
    double sum = 0;
    const auto dy = storage(d_.dy);
    for (std::size_t i = 0; i < y.size(); ++i) sum += static_cast<double>(dy[i]) * y[i];
    return sum;
  }

  std::vector<float> gradient(std::size_t parameter) {
    const graph::TensorSpec& spec = d_.graph.tensor(d_.parameters[parameter]).spec;
    std::vector<float> torch(static_cast<std::size_t>(graph::element_count(spec.shape)));
    engine::export_torch(spec, storage(d_.gradients.at(d_.parameters[parameter])), torch);
    return torch;
  }

  std::vector<float> output() {
    const auto y = storage(d_.y);
    return {y.begin(), y.end()};
  }

 private:
  std::span<float> storage(TensorId id) {
    return {static_cast<float*>(program_.data(id)), engine::storage_elements(d_.graph.tensor(id).spec)};
  }

  const Differentiated& d_;
  Program program_;
};

double norm(const std::vector<float>& v) {
  double sum = 0;
  for (const float x : v) sum += static_cast<double>(x) * x;
  return std::sqrt(sum);
}

double dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

/// The directional derivative's error as a share of the gradient's norm; `direction` is scaled to move each element
/// by about `step`.
double difference_error(Run& run, std::size_t parameter, const std::vector<float>& value,
                        const std::vector<float>& gradient, const std::vector<float>& direction, float step) {
  const double scale = step * std::sqrt(static_cast<double>(direction.size())) / norm(direction);
  std::vector<float> plus(value), minus(value), moved(value.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    plus[i] = static_cast<float>(value[i] + scale * direction[i]);
    minus[i] = static_cast<float>(value[i] - scale * direction[i]);
    moved[i] = plus[i] - minus[i];  // what rounding left of the step
  }
  run.set(parameter, plus);
  const double up = run.value();
  run.set(parameter, minus);
  const double down = run.value();
  run.set(parameter, value);
  return std::abs((up - down) - dot(gradient, moved)) / (norm(gradient) * norm(moved) + 1e-30);
}

void check_differences(const GradientCase& gradient_case, const GradientCaseBuilder& builder,
                       const Differentiated& differentiated) {
  Run run(differentiated, 1, MemoryMode::planned);
  for (std::size_t p = 0; p < builder.values.size(); ++p) run.set(p, builder.values[p]);
  run.value();
  std::vector<std::vector<float>> gradients;
  for (std::size_t p = 0; p < builder.values.size(); ++p) gradients.push_back(run.gradient(p));
  for (std::size_t p = 0; p < builder.values.size(); ++p) {
    const std::vector<float>& gradient = gradients[p];
    ASSERT_GT(norm(gradient), 0) << gradient_case.name << ": the gradient of parameter " << p << " is zero";
    EXPECT_LE(difference_error(run, p, builder.values[p], gradient, gradient, gradient_case.step),
              gradient_case.tolerance)
        << gradient_case.name << ", parameter " << p << ", along its gradient";
    EXPECT_LE(
        difference_error(run, p, builder.values[p], gradient, uniform(gradient.size(), 7 + p), gradient_case.step),
        gradient_case.tolerance)
        << gradient_case.name << ", parameter " << p << ", along a random direction";
  }
}

void check_same_bits(const GradientCase& gradient_case, const GradientCaseBuilder& builder,
                     const Differentiated& differentiated) {
  std::vector<std::vector<float>> first;
  for (const auto& [threads, mode] : {std::pair{1, MemoryMode::planned},
                                      {2, MemoryMode::planned},
                                      {3, MemoryMode::planned},
                                      {4, MemoryMode::planned},
                                      {1, MemoryMode::isolated}}) {
    Run run(differentiated, threads, mode);
    for (std::size_t p = 0; p < builder.values.size(); ++p) run.set(p, builder.values[p]);
    run.value();
    std::vector<std::vector<float>> results = {run.output()};
    for (std::size_t p = 0; p < builder.values.size(); ++p) results.push_back(run.gradient(p));
    if (first.empty()) first = results;
    for (std::size_t i = 0; i < results.size(); ++i)
      EXPECT_TRUE(same_bits(first[i], results[i]))
          << gradient_case.name << ": result " << i << " differs with " << threads << " threads"
          << (mode == MemoryMode::isolated ? ", isolated" : "");
  }
}

}  // namespace

TensorId GradientCaseBuilder::parameter(graph::Shape shape, float low, float high, float gap) {
  const auto count = static_cast<std::size_t>(graph::element_count(shape));
  std::vector<float> value = uniform(count, values.size() + 1, low, high);
  for (float& x : value)
    if (std::abs(x) < gap) x = std::copysign(gap, x) + x;
  values.push_back(std::move(value));
  parameters.push_back(
      graph.add_tensor({"parameter" + std::to_string(parameters.size()), {std::move(shape)}, graph::Role::parameter}));
  return parameters.back();
}

TensorId GradientCaseBuilder::weight(graph::Shape shape, graph::Layout layout, int groups) {
  const TensorId id = parameter(std::move(shape));
  graph.mutable_tensor(id).spec.layout = layout;
  graph.mutable_tensor(id).spec.groups = groups;
  return id;
}

TensorId GradientCaseBuilder::buffer(graph::Shape shape, float value) {
  const TensorId id =
      graph.add_tensor({"buffer" + std::to_string(buffers.size()), {std::move(shape)}, graph::Role::buffer});
  buffers.emplace_back(id, value);
  return id;
}

TensorId GradientCaseBuilder::labels(std::int64_t count, std::int32_t classes) {
  const TensorId id = graph.add_tensor({"labels", {{count}, graph::DType::i32}, graph::Role::input});
  label_classes.emplace_back(id, classes);
  return id;
}

std::vector<TensorId> GradientCaseBuilder::node(graph::OpPtr op, std::vector<TensorId> inputs) {
  std::string name = "node" + std::to_string(graph.nodes().size());
  return graph.add_node(std::move(op), std::move(name), std::move(inputs));
}

void check_gradients(const GradientCase& gradient_case) {
  GradientCaseBuilder builder;
  const TensorId y = gradient_case.build(builder);
  const Differentiated differentiated = differentiate(builder, y, gradient_case.is_loss);
  check_differences(gradient_case, builder, differentiated);
  check_same_bits(gradient_case, builder, differentiated);
}

}  // namespace bramble::test
