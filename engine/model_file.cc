#include "engine/model_file.h"

#include <algorithm>
#include <set>

#include "engine/data/file.h"

namespace bramble::engine {
namespace {

constexpr std::string_view kBatchCount = "num_batches_tracked";
constexpr std::string_view kRunningVariance = "running_var";

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Why the file's tensor cannot be taken; empty if it can.
std::string misfit(const StoredTensor* stored, const std::string& name, const graph::Shape& shape) {
  if (stored == nullptr) return "has no tensor '" + name + "', which the model needs";
  if (stored->shape != shape)
    return "tensor '" + name + "' is " + graph::to_string(stored->shape) + ", but the model's is " +
           graph::to_string(shape);
  return "";
}

}  // namespace

LoadReport load_model(const SafetensorsFile& file, const ModelValues& model, const LoadOptions& options) {
  LoadReport report;
  std::set<std::string, std::less<>> used;
  const auto load = [&](const std::string& name, bool of_head) {
    const StoredTensor* stored = file.find(name);
    used.insert(name);
    const std::string reason = misfit(stored, name, model.shape_of(name));
    if (reason.empty()) {
      model.set_value(name, file.floats(*stored));
    } else if (of_head && options.initial) {
      model.set_value(name, options.initial(name));
      report.initialised.push_back(name);
    } else {
      throw FileError(file.path(), reason);
    }
  };
  for (const std::string& name : model.parameters) load(name, contains(options.head_keys, name));
  for (const std::string& name : model.buffers) load(name, false);
  for (const StoredTensor& tensor : file.tensors())
    if (!used.contains(tensor.name) && !tensor.name.ends_with(kBatchCount)) report.unused.push_back(tensor.name);
  return report;
}

std::vector<TensorToWrite> model_tensors(const Trainer& trainer, Values which) {
  std::vector<TensorToWrite> tensors;
  const auto add = [&](const std::string& name) {
    tensors.push_back(float_tensor(name, trainer.shape_of(name), [&trainer, name, which] {
      return which == Values::averaged ? trainer.average(name) : trainer.value(name);
    }));
  };
  for (const std::string& name : trainer.parameter_names()) add(name);
  for (const std::string& name : trainer.buffer_names()) {
    add(name);
    if (!name.ends_with(kRunningVariance)) continue;
    std::string layer = name.substr(0, name.size() - kRunningVariance.size());
    tensors.push_back(integer_tensor(layer.append(kBatchCount), {}, {trainer.steps()}));
  }
  return tensors;
}

std::vector<TensorToWrite> state_tensors(const Trainer& trainer) {
  std::vector<TensorToWrite> tensors;
  for (const std::string& name : trainer.state_names())
    tensors.push_back(float_tensor(name, trainer.shape_of(name), [&trainer, name] { return trainer.value(name); }));
  return tensors;
}

void load_state(const SafetensorsFile& file, Trainer& trainer) {
  for (const std::string& name : trainer.state_names()) {
    const StoredTensor* stored = file.find(name);
    const std::string reason = misfit(stored, name, trainer.shape_of(name));
    if (!reason.empty()) throw FileError(file.path(), reason);
    trainer.set_value(name, file.floats(*stored));
  }
}

}  // namespace bramble::engine
