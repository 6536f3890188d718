// An op of any number of inputs whose output has the first one's shape, for tests of what surrounds ops.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "graph/backward_context.h"
#include "graph/op.h"

namespace bramble::test {

struct FakeOpTraits {
  bool in_place = false;
  bool view = false;
  int outputs = 1;
  std::int64_t view_offset = 0;
};

class FakeOp : public graph::Op {
 public:
  explicit FakeOp(FakeOpTraits traits = {}) : traits_(traits) {}
  std::string_view name() const override { return "fake"; }
  std::vector<graph::TensorSpec> infer(std::span<const graph::TensorSpec> inputs) const override {
    if (inputs.empty() || inputs[0].shape.empty()) throw graph::ShapeError("an input is needed");
    return std::vector<graph::TensorSpec>(static_cast<std::size_t>(traits_.outputs), inputs[0]);
  }
  /// Every wanted input's gradient is a node that reads dy.
  void backward(graph::BackwardContext& context) const override {
    for (int i = 0; i < static_cast<int>(context.node().inputs.size()); ++i)
      if (context.wants(i)) context.set_dx(i, context.emit(std::make_shared<FakeOp>(), {context.dy(0)})[0]);
  }
  int in_place_input(int) const override { return traits_.in_place || traits_.view ? 0 : -1; }
  bool is_view(int) const override { return traits_.view; }
  std::int64_t view_offset(int) const override { return traits_.view_offset; }

 private:
  FakeOpTraits traits_;
};

inline graph::OpPtr fake(FakeOpTraits traits = {}) { return std::make_shared<FakeOp>(traits); }

}  // namespace bramble::test
