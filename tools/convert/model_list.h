// What a model's file has to hold.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/checkpoint/safetensors.h"
#include "engine/checkpoint/safetensors_writer.h"
#include "models/registry.h"
#include "tools/train/evaluate.h"

namespace bramble::convert {

struct ListedTensor {
  std::string name;
  graph::Shape shape;
  std::optional<engine::TensorToWrite> default_value = {};  ///< written where the input has none
  std::string or_else = {};                                 ///< another name it may have in the input
};

struct ModelList {
  std::string model;
  std::vector<ListedTensor> tensors;
  std::vector<std::string> dropped;  ///< the head's, where it is left out
};

/// For `description`'s model, size and, in number, `classes`. `drop_head` leaves out what depends on their number.
ModelList list_tensors(const train::ModelDescription& description, std::int64_t classes, bool drop_head);

}  // namespace bramble::convert
