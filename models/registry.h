// The models that Bramble has: those of the published benchmark under its names, and one for small pictures.
#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "graph/model.h"

namespace bramble::models {

struct ModelInfo {
  std::string name;    ///< "vit_tiny"
  std::string family;  ///< "ViT"
  std::string timm;    ///< "vit_tiny_patch16_224.augreg_in21k_ft_in1k"; empty if timm has none like it
  double top1 = 0;     ///< percent, ImageNet-1k, as its authors report; 0 if they do not
  std::vector<std::string> head_keys;  ///< the parameters that head-only training trains
  graph::Model (*build)(const ModelInfo& info, const graph::ModelConfig& config);
  bool in_benchmark = true;  ///< one of the 59 of the published table
};

class UnknownModel : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Every model, the benchmark's first.
std::span<const ModelInfo> all_models();

/// The published benchmark's, in the order of its table.
std::span<const ModelInfo> benchmark_models();

/// Throws UnknownModel, whose message names the nearest name.
const ModelInfo& find_model(std::string_view name);

/// Throws graph::GraphError for a size or batch that the model cannot take.
graph::Model build_model(const ModelInfo& info, const graph::ModelConfig& config);

}  // namespace bramble::models
