// The models that Bramble has, under the names of the published benchmark.
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
  std::string timm;    ///< "vit_tiny_patch16_224.augreg_in21k_ft_in1k"
  double top1 = 0;     ///< percent, ImageNet-1k, as its authors report; 0 if they do not
  std::vector<std::string> head_keys;  ///< the parameters that head-only training trains
  graph::Model (*build)(const ModelInfo& info, const graph::ModelConfig& config);
};

class UnknownModel : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Every model, in the order of the published table.
std::span<const ModelInfo> all_models();

/// Throws UnknownModel, whose message names the nearest name.
const ModelInfo& find_model(std::string_view name);

/// Throws graph::GraphError for a size or batch that the model cannot take.
graph::Model build_model(const ModelInfo& info, const graph::ModelConfig& config);

}  // namespace bramble::models
