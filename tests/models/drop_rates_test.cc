// Where the models drop, and how often: as timm does for the same drop_rate and drop_path_rate.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "graph/ops/dropout.h"
#include "models/registry.h"

namespace bramble::models {
namespace {

struct Drops {
  std::vector<float> paths;     ///< rates of stochastic depth, in the order of the blocks
  std::vector<float> elements;  ///< rates of dropout
  std::set<std::uint32_t> layers;
};

Drops drops_of(const std::string& model, graph::ModelConfig config) {
  config.batch = 1;
  const graph::Model built = build_model(find_model(model), config);
  Drops drops;
  for (const graph::Node& node : built.graph.nodes()) {
    if (const auto* path = dynamic_cast<const graph::DropPath*>(node.op.get())) {
      drops.paths.push_back(path->attributes.rate);
      drops.layers.insert(path->attributes.layer);
    }
    if (const auto* dropout = dynamic_cast<const graph::Dropout*>(node.op.get())) {
      drops.elements.push_back(dropout->attributes.rate);
      drops.layers.insert(dropout->attributes.layer);
    }
  }
  return drops;
}

constexpr graph::ModelConfig kDropping{.drop_rate = 0.3F, .drop_path_rate = 0.2F};

void expect_rates(const std::string& model, const std::vector<float>& paths, const std::vector<float>& elements) {
  SCOPED_TRACE(model);
  const Drops drops = drops_of(model, kDropping);
  ASSERT_EQ(drops.paths.size(), paths.size());
  for (std::size_t i = 0; i < paths.size(); ++i) EXPECT_NEAR(drops.paths[i], paths[i], 5e-5) << i;
  EXPECT_EQ(drops.elements, elements);
  EXPECT_EQ(drops.layers.size(), paths.size() + elements.size()) << "two layers draw the same numbers";
}

/// 0 to 0.2 in even steps from block to block, branches[i] times in block i.
std::vector<float> rising(const std::vector<int>& branches) {
  std::vector<float> rates;
  for (std::size_t i = 1; i < branches.size(); ++i)
    rates.insert(rates.end(), static_cast<std::size_t>(branches[i]),
                 0.2F * static_cast<float>(i) / static_cast<float>(branches.size() - 1));
  return rates;
}

/// What a hook on timm's modules saw.
TEST(DropRates, AreTimms) {
  expect_rates("resnet18", {0.0286F, 0.0571F, 0.0857F, 0.1143F, 0.1429F, 0.1714F, 0.2F}, {0.3F});
  expect_rates("mobilenetv2_050",
               {0.0235F, 0.0471F, 0.0588F, 0.0824F, 0.0941F, 0.1059F, 0.1294F, 0.1412F, 0.1647F, 0.1765F}, {0.3F});
  expect_rates("mobilenetv3_small_075", {0.0333F, 0.0667F, 0.0833F, 0.1167F, 0.15F, 0.1667F}, {0.3F});
  expect_rates("efficientnet_b0", {0.025F, 0.05F, 0.075F, 0.0875F, 0.1125F, 0.125F, 0.15F, 0.1625F, 0.175F}, {0.3F});
  expect_rates("vit_tiny", {0.0182F, 0.0182F, 0.0364F, 0.0364F, 0.0545F, 0.0545F, 0.0727F, 0.0727F,
                            0.0909F, 0.0909F, 0.1091F, 0.1091F, 0.1273F, 0.1273F, 0.1455F, 0.1455F,
                            0.1636F, 0.1636F, 0.1818F, 0.1818F, 0.2F,    0.2F},
               {0.3F});
  const std::vector<float> eighteen = {0.0118F, 0.0235F, 0.0353F, 0.0471F, 0.0588F, 0.0706F, 0.0824F, 0.0941F, 0.1059F,
                                       0.1176F, 0.1294F, 0.1412F, 0.1529F, 0.1647F, 0.1765F, 0.1882F, 0.2F};
  expect_rates("convnext_tiny", eighteen, {0.3F});
  expect_rates("inception_next_tiny", eighteen, {0.3F});
  expect_rates("efficientformer_l1",
               {0.0143F, 0.0143F, 0.0286F, 0.0286F, 0.0429F, 0.0429F, 0.0571F, 0.0571F, 0.0714F, 0.0714F,
                0.0857F, 0.0857F, 0.1F,    0.1F,    0.1143F, 0.1143F, 0.1286F, 0.1286F, 0.1429F, 0.1429F,
                0.1571F, 0.1571F, 0.1714F, 0.1714F, 0.1857F, 0.1857F, 0.2F,    0.2F},
               {0.3F});
  expect_rates("fastvit_t8", {0.0222F, 0.0444F, 0.0667F, 0.0889F, 0.1111F, 0.1333F, 0.1556F, 0.1778F, 0.2F}, {0.3F});
  // A split block has two branches.
  expect_rates("edgenext_x_small",
               {0.0118F, 0.0235F, 0.0353F, 0.0471F, 0.0588F, 0.0588F, 0.0706F, 0.0824F, 0.0941F, 0.1059F,
                0.1176F, 0.1294F, 0.1412F, 0.1529F, 0.1647F, 0.1647F, 0.1765F, 0.1882F, 0.2F,    0.2F},
               {0.3F});
  expect_rates("mlpmixer_b16", std::vector<float>(24, 0.2F), {0.3F});
  expect_rates("swin_tiny", rising(std::vector<int>(12, 2)), {0.3F});
  expect_rates("faster_vit_0", rising({1, 1, 1, 1, 1, 4, 4, 4, 4, 4, 4, 2, 2, 2, 2, 2}), std::vector<float>(51, 0.3F));
  expect_rates("maxvit_tiny", rising(std::vector<int>(11, 5)), {0.3F});
  expect_rates("vgg11", {}, {0.3F, 0.3F});
  expect_rates("efficientvit_b0", {}, {0.3F});
  expect_rates("ghostnetv2_100", {}, {0.3F});
  expect_rates("mobilevitv2_050",
               {0.025F, 0.05F, 0.075F, 0.1F,  0.1F,  0.1F,   0.1F, 0.125F, 0.15F, 0.15F, 0.15F, 0.15F,
                0.15F,  0.15F, 0.15F,  0.15F, 0.175F, 0.2F, 0.2F, 0.2F,   0.2F,  0.2F,  0.2F},
               {0.3F});
}

TEST(DropRates, OfTwoResidualsTheSecondHasThemAll) { expect_rates("resnet9_025", {0.2F}, {0.3F}); }

TEST(DropRates, NothingIsDroppedUnlessAskedForNorInEvaluation) {
  graph::ModelConfig evaluation = kDropping;
  evaluation.training = false;
  for (const ModelInfo& info : all_models()) {
    EXPECT_TRUE(drops_of(info.name, {}).layers.empty()) << info.name;
    EXPECT_TRUE(drops_of(info.name, evaluation).layers.empty()) << info.name;
  }
}

}  // namespace
}  // namespace bramble::models
