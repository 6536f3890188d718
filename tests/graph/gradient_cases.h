// The gradient check's rows, one op or more each, by what the ops do.
#pragma once

#include <memory>
#include <vector>

#include "graph/op.h"
#include "tests/graph/gradient_check.h"

namespace bramble::test {

std::vector<GradientCase> product_cases();
std::vector<GradientCase> norm_cases();
std::vector<GradientCase> attention_cases();
std::vector<GradientCase> other_cases();

inline auto of_one_input(graph::OpPtr op, graph::Shape x) {
  return [=](GradientCaseBuilder& b) { return b.node(op, {b.parameter(x)})[0]; };
}

inline auto of_two_inputs(graph::OpPtr op, graph::Shape first, graph::Shape second) {
  return [=](GradientCaseBuilder& b) {
    const graph::TensorId a = b.parameter(first);
    return b.node(op, {a, b.parameter(second)})[0];
  };
}

}  // namespace bramble::test
