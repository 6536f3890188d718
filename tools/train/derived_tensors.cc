#include "tools/train/derived_tensors.h"

#include "models/derived_buffers.h"

namespace bramble::train {

std::vector<engine::TensorToWrite> derived_tensors(const ModelDescription& description) {
  const models::ModelInfo& info = models::find_model(description.model);
  std::vector<engine::TensorToWrite> tensors;
  const graph::ModelConfig config{.batch = 1, .size = description.size, .training = false};
  for (models::DerivedBuffer& buffer : models::derived_buffers(info, config))
    tensors.push_back(buffer.integers.empty()
                          ? engine::float_tensor(buffer.name, buffer.shape,
                                                 [values = std::move(buffer.floats)] { return values; })
                          : engine::integer_tensor(buffer.name, buffer.shape, std::move(buffer.integers)));
  return tensors;
}

void complete_for_pytorch(const ModelDescription& description, std::vector<engine::TensorToWrite>& tensors) {
  for (std::size_t i = 0, count = tensors.size(); i < count; ++i) {
    const auto second = models::second_name(tensors[i].name);
    if (!second) continue;
    engine::TensorToWrite again = tensors[i];
    again.name = *second;
    tensors.push_back(std::move(again));
  }
  for (engine::TensorToWrite& derived : derived_tensors(description)) tensors.push_back(std::move(derived));
}

}  // namespace bramble::train
