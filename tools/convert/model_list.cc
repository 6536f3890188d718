#include "tools/convert/model_list.h"

#include "models/derived_buffers.h"
#include "tools/train/derived_tensors.h"

namespace bramble::convert {
namespace {

constexpr std::string_view kRunningVariance = "running_var";

std::vector<ListedTensor> values_of(const train::ModelDescription& description, std::int64_t classes) {
  const graph::Model model =
      models::build_model(models::find_model(description.model),
                          {.batch = 1, .size = description.size, .classes = classes, .training = false});
  std::vector<ListedTensor> found;
  for (const graph::Role role : {graph::Role::parameter, graph::Role::buffer})
    for (const graph::Tensor& tensor : model.graph.tensors())
      if (tensor.role == role) found.push_back({tensor.name, tensor.spec.shape});
  return found;
}

}  // namespace

ModelList list_tensors(const train::ModelDescription& description, std::int64_t classes, bool drop_head) {
  ModelList list{.model = description.model, .tensors = {}, .dropped = {}};
  const std::vector<ListedTensor> one_class_more = values_of(description, classes + 1);
  std::size_t index = 0;
  for (ListedTensor& tensor : values_of(description, classes)) {
    if (drop_head && one_class_more[index++].shape != tensor.shape) {
      list.dropped.push_back(tensor.name);
      continue;
    }
    const std::string name = tensor.name;
    const graph::Shape shape = tensor.shape;
    list.tensors.push_back(std::move(tensor));
    if (const auto second = models::second_name(name)) list.tensors.push_back({*second, shape, {}, name});
    if (!name.ends_with(kRunningVariance)) continue;
    const std::string count = name.substr(0, name.size() - kRunningVariance.size()) + "num_batches_tracked";
    list.tensors.push_back({count, {}, engine::integer_tensor(count, {}, {0})});
  }
  for (engine::TensorToWrite& tensor : train::derived_tensors(description))
    list.tensors.push_back({tensor.name, tensor.shape, std::move(tensor)});
  return list;
}

}  // namespace bramble::convert
