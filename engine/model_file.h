// A model's parameters and buffers as a safetensors file, under timm's names and in PyTorch's layout.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/checkpoint/safetensors.h"
#include "engine/checkpoint/safetensors_writer.h"
#include "engine/trainer.h"

namespace bramble::engine {

/// What loading asks of a Trainer or an Evaluator.
struct ModelValues {
  std::vector<std::string> parameters;
  std::vector<std::string> buffers;
  std::function<graph::Shape(const std::string&)> shape_of;
  std::function<void(const std::string&, std::span<const float>)> set_value;
};

template <class Runner>
ModelValues values_of(Runner& runner) {
  return {runner.parameter_names(), runner.buffer_names(),
          [&runner](const std::string& name) { return runner.shape_of(name); },
          [&runner](const std::string& name, std::span<const float> values) { runner.set_value(name, values); }};
}

struct LoadOptions {
  /// The head's parameters: where the file has none, or some for another number of classes, `initial` gives them.
  std::vector<std::string> head_keys = {};
  /// Empty: the head has to fit as well.
  std::function<std::vector<float>(const std::string& name)> initial = {};
};

struct LoadReport {
  std::vector<std::string> initialised;  ///< the head's parameters that did not come from the file
  std::vector<std::string> unused;       ///< what the file has beyond the model; batch counts are not listed
};

/// Sets every parameter and buffer. Throws FileError that names the first tensor which is missing or of another shape.
LoadReport load_model(const SafetensorsFile& file, const ModelValues& model, const LoadOptions& options);

enum class Values { current, averaged };

/// All parameters and buffers, and for each BatchNorm the num_batches_tracked that PyTorch expects.
std::vector<TensorToWrite> model_tensors(const Trainer& trainer, Values which = Values::current);

/// What the trainer keeps besides: state_names().
std::vector<TensorToWrite> state_tensors(const Trainer& trainer);
/// Sets it again. Throws FileError that names what is missing or of another shape: the optimiser was another one.
void load_state(const SafetensorsFile& file, Trainer& trainer);

}  // namespace bramble::engine
