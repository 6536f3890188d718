#include "graph/ops/batchnorm_sum.h"

#include <memory>

#include "graph/ops/channel_sums.h"
#include "graph/ops/shape_rules.h"

namespace bramble::graph {
namespace {

constexpr std::size_t kMostTerms = 4;

std::size_t at(int i) { return static_cast<std::size_t>(i); }

}  // namespace

std::size_t BatchNormSumAttributes::terms() const {
  std::size_t count = 0;
  for (std::size_t k = 0; k < branches.size(); ++k) count += branches[k].leader == static_cast<int>(k) ? 1 : 0;
  return count;
}

std::vector<TensorSpec> BatchNormSum::infer(std::span<const TensorSpec> inputs) const {
  const int branches = static_cast<int>(attributes.branches.size());
  require(branches > 0 && attributes.terms() <= kMostTerms, "takes one to four different inputs");
  require(inputs.size() == at(input(branches, kX)), "needs seven inputs a branch");
  const Shape& x = inputs[at(input(0, kX))].shape;
  require(!x.empty(), "the first branch is missing");
  const Shape per_channel = {x.back()};
  std::vector<TensorSpec> outputs = {{x}, {per_channel}};
  if (has_input(inputs, kResidual)) expect_shape(inputs[kResidual], x, "the residual");
  if (has_input(inputs, kLayerScale)) expect_shape(inputs[kLayerScale], per_channel, "the layer scale");
  require(!has_input(inputs, kResidual) || attributes.activation == Activation::none,
          "takes no activation beside a residual");
  for (int k = 0; k < branches; ++k) {
    const std::string which = " of branch " + std::to_string(k);
    expect_shape(inputs[at(input(k, kX))], x, "the input" + which);
    const char* const names[] = {"", "gamma", "beta", "the running mean", "the running variance"};
    for (const BranchInput i : {kGamma, kBeta, kRunningMean, kRunningVar})
      expect_shape(inputs[at(input(k, i))], per_channel, names[i] + which);
    if (has_input(inputs, at(input(k, kW)))) {
      expect_shape(inputs[at(input(k, kW))], {x.back(), 1, 1, 1}, "the weight" + which);
      require(attributes.training, "takes a weight in training alone");
    }
    if (has_input(inputs, at(input(k, kSums))))
      expect_shape(inputs[at(input(k, kSums))], channel_sums(x).shape, "the sums" + which);
    outputs.insert(outputs.end(), kOutputsOfBranch, TensorSpec{per_channel});
  }
  if (attributes.training && element_count(x) == x.back())
    throw ShapeError("training needs more than one value a channel, but the input is " + to_string(x) +
                     "; use a larger batch or larger images");
  return outputs;
}

void BatchNormSum::backward(BackwardContext& context) const {
  const int branches = static_cast<int>(attributes.branches.size());
  int leader_of_residual = -1;
  std::vector<TensorId> inputs = {context.dy(kY), context.input(kLayerScale), context.output(kBetaSum)};
  for (int k = 0; k < branches; ++k) {
    const TensorId x = context.input(input(k, kX));
    if (context.wants(kResidual) && x == context.input(kResidual) && leader_of_residual < 0) leader_of_residual = k;
    inputs.insert(inputs.end(), {x, context.input(input(k, kGamma)), context.input(input(k, kBeta)),
                                 context.input(input(k, kW)), context.output(output(k, kMean)),
                                 context.output(output(k, kRstd)), context.output(output(k, kScale))});
  }
  if (context.wants(kResidual) && leader_of_residual < 0) context.set_dx(kResidual, context.dy(kY));
  using Bwd = BatchNormSumBwd;
  const auto gradients = context.emit(std::make_shared<Bwd>(attributes, leader_of_residual), std::move(inputs));
  const auto give = [&](int to, int gradient) {
    if (context.wants(to)) context.set_dx(to, gradients[at(gradient)]);
  };
  give(kLayerScale, Bwd::kDlayerScale);
  for (int k = 0; k < branches; ++k) {
    if (attributes.branches[at(k)].leader == k) give(input(k, kX), Bwd::output(k, Bwd::kDx));
    give(input(k, kGamma), Bwd::output(k, Bwd::kDgamma));
    give(input(k, kBeta), Bwd::output(k, Bwd::kDbeta));
    give(input(k, kW), Bwd::output(k, Bwd::kDw));
  }
}

std::vector<int> BatchNormSum::mutated_inputs() const {
  std::vector<int> mutated;
  for (int k = 0; attributes.training && k < static_cast<int>(attributes.branches.size()); ++k)
    mutated.insert(mutated.end(), {input(k, kRunningMean), input(k, kRunningVar)});
  return mutated;
}

std::shared_ptr<const Op> BatchNormSum::with_activation(Activation kind, bool has_addend) const {
  // The backward finds z again from the branches alone.
  if (attributes.activation != Activation::none || has_addend) return nullptr;
  BatchNormSumAttributes fused = attributes;
  fused.activation = kind;
  return std::make_shared<BatchNormSum>(fused);
}

std::vector<TensorSpec> BatchNormSumBwd::infer(std::span<const TensorSpec> inputs) const {
  const int branches = static_cast<int>(attributes.branches.size());
  require(inputs.size() == at(input(branches, kX)), "needs seven inputs a branch");
  const TensorSpec& beta = inputs[kBetaSum];
  std::vector<TensorSpec> outputs = {beta};
  for (int k = 0; k < branches; ++k) {
    TensorSpec weight{{beta.shape[0], 1, 1, 1}};
    weight.layout = Layout::depthwise_weight;
    outputs.insert(outputs.end(), {inputs[at(input(k, kX))], beta, beta, weight});
  }
  return outputs;
}

int BatchNormSumBwd::in_place_input(int out) const {
  if (out < kBranchOutputs || (out - kBranchOutputs) % kOutputsOfBranch != kDx) return -1;
  return input((out - kBranchOutputs) / kOutputsOfBranch, kX);
}

}  // namespace bramble::graph
