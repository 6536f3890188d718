#include "models/derived_buffers.h"

#include <map>
#include <string_view>

#include "graph/ops/constant.h"
#include "graph/ops/relative_position_bias.h"

namespace bramble::models {
namespace {

constexpr std::string_view kBiases = ".attention_biases";
constexpr std::string_view kPerceptron = ".cpb_mlp";
constexpr std::string_view kCoordinates = ".coordinates";

/// The module's name, if `name` is of its part `part`.
std::optional<std::string> module_of(const std::string& name, std::string_view part) {
  const std::size_t found = name.find(part);
  if (found == std::string::npos) return std::nullopt;
  return name.substr(0, found);
}

std::vector<float> zeros(const graph::Shape& shape) {
  return std::vector<float>(static_cast<std::size_t>(graph::element_count(shape)));
}

/// FasterViT's bias of attention. PyTorch's index lies [query][key], without the carriers before the window's tokens.
void add_relative(const std::string& module, const graph::RelativePositionAttributes& positions,
                  const std::vector<float>& coordinates, std::int64_t heads, std::vector<DerivedBuffer>& found) {
  std::int64_t extent = 1;
  while (2 * extent * extent < static_cast<std::int64_t>(coordinates.size())) extent += 2;
  const std::int64_t tokens = (extent + 1) / 2 * ((extent + 1) / 2);
  const std::int64_t length = positions.length, prefix = length - tokens;
  DerivedBuffer index{module + ".relative_position_index", {tokens, tokens}, {}, {}};
  for (std::int64_t query = prefix; query < length; ++query)
    for (std::int64_t key = prefix; key < length; ++key)
      index.integers.push_back(positions.index[static_cast<std::size_t>(key * length + query)]);
  const graph::Shape bias = {1, heads, length, length};
  found.push_back({module + ".relative_coords_table", {1, extent, extent, 2}, {}, coordinates});
  found.push_back(std::move(index));
  found.push_back({module + ".relative_bias", bias, {}, zeros(bias)});
}

}  // namespace

std::vector<DerivedBuffer> derived_buffers(const ModelInfo& info, const graph::ModelConfig& config) {
  const graph::Model model = build_model(info, config);
  const graph::Graph& graph = model.graph;
  std::vector<DerivedBuffer> found;
  std::map<std::string, const graph::Constant*> coordinates;  // of perceptrons that have not met their use
  const auto outputs_of = [&](const std::string& module) {
    return graph.tensor(graph.find(module + ".cpb_mlp.2.weight")).spec.shape[0];
  };
  for (const graph::Node& node : graph.nodes()) {
    if (const auto* constant = dynamic_cast<const graph::Constant*>(node.op.get()))
      if (const auto module = module_of(node.name, kCoordinates)) coordinates[*module] = constant;
    const auto* bias = dynamic_cast<const graph::RelativePositionBias*>(node.op.get());
    if (bias == nullptr) continue;
    const graph::RelativePositionAttributes& positions = bias->attributes;
    if (const auto module = module_of(node.name, kBiases))
      found.push_back({*module + ".attention_bias_idxs", {positions.length, positions.length},
                       {positions.index.begin(), positions.index.end()}, {}});
    if (const auto module = module_of(node.name, kPerceptron)) {
      add_relative(*module, positions, coordinates.at(*module)->values, outputs_of(*module), found);
      coordinates.erase(*module);
    }
  }
  for (const auto& [module, constant] : coordinates) {  // embeddings of places
    const graph::Shape shape = {1, static_cast<std::int64_t>(constant->values.size() / 2), outputs_of(module)};
    found.push_back({module + ".relative_bias", shape, {}, zeros(shape)});
  }
  return found;
}

std::optional<std::string> second_name(const std::string& name) {
  constexpr std::string_view kFirst = "global_tokenizer.pos_embed.";
  const std::size_t found = name.find(kFirst);
  if (found == std::string::npos) return std::nullopt;
  return std::string(name).replace(found, kFirst.size(), "global_tokenizer.to_global_feature.pos.");
}

}  // namespace bramble::models
