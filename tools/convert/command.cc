#include "tools/convert/command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <memory>
#include <set>
#include <sstream>

#include "engine/checkpoint/float_formats.h"
#include "engine/checkpoint/safetensors.h"
#include "engine/checkpoint/safetensors_writer.h"
#include "engine/data/file.h"
#include "engine/training/checkpoint_folder.h"
#include "graph/training.h"
#include "models/registry.h"
#include "tools/cli/program.h"
#include "tools/convert/model_list.h"
#include "tools/convert/select.h"
#include "tools/train/preprocessing.h"

namespace bramble::convert {
namespace {

namespace fs = std::filesystem;
using engine::FileError;
using engine::StoredTensor;

/// The open files, and the model's tensors in them by the model's names, in their order.
struct Source {
  std::vector<std::unique_ptr<engine::SafetensorsFile>> files;
  std::vector<std::pair<std::string, const StoredTensor*>> tensors;

  const engine::SafetensorsFile& first() const { return *files.front(); }
  const StoredTensor* find(const std::string& name) const {
    for (const auto& [own, tensor] : tensors)
      if (own == name) return tensor;
    return nullptr;
  }
};

bool is_float(const StoredTensor& tensor) {
  std::vector<float> nothing;
  return engine::to_floats(tensor.dtype, {}, nothing);
}

/// A checkpoint folder of ours: the averages are in the trainer's file.
Source open_folder(const fs::path& folder, bool averaged) {
  const engine::Checkpoint checkpoint{0, folder};
  Source source;
  source.files.push_back(std::make_unique<engine::SafetensorsFile>(checkpoint.model()));
  if (averaged) source.files.push_back(std::make_unique<engine::SafetensorsFile>(checkpoint.trainer()));
  bool found = false;
  for (const StoredTensor& tensor : source.first().tensors()) {
    const StoredTensor* average = averaged ? source.files[1]->find(graph::average_name(tensor.name)) : nullptr;
    found = found || average != nullptr;
    source.tensors.emplace_back(tensor.name, average != nullptr ? average : &tensor);
  }
  if (averaged && !found) throw FileError(folder, "has no moving averages: it was trained without --ema");
  return source;
}

Source open_file(const fs::path& path, bool averaged) {
  Source source;
  source.files.push_back(std::make_unique<engine::SafetensorsFile>(path));
  std::vector<std::string> names;
  for (const StoredTensor& tensor : source.first().tensors()) names.push_back(tensor.name);
  for (const Selected& one : select_model(names, averaged ? Weights::averaged : Weights::plain))
    source.tensors.emplace_back(one.name, source.first().find(one.stored));
  if (source.tensors.empty())
    throw FileError(path, averaged ? "has no moving averages beside the model" : "has no tensors of a model");
  if (const std::size_t left = names.size() - source.tensors.size(); left > 0)
    fmt::print("{}: {} tensors are not part of the {}\n", path.string(), left, averaged ? "moving averages" : "model");
  return source;
}

std::vector<std::string> read_class_names(const fs::path& path) {
  std::istringstream lines(engine::read_text(path));
  std::vector<std::string> names;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty())
      throw FileError(path, fmt::format("line {} is empty, but each is a class' name", names.size() + 1));
    names.push_back(line);
  }
  if (std::set<std::string>(names.begin(), names.end()).size() != names.size())
    throw FileError(path, "has a class' name twice");
  return names;
}

/// As `dtype` where it is a number with a fraction; integers stay what they are.
engine::TensorToWrite converted(const std::string& name, const StoredTensor& tensor, const std::string& dtype) {
  if (!is_float(tensor))
    return {name, tensor.dtype, tensor.shape,
            [&tensor] { return std::vector(tensor.bytes.begin(), tensor.bytes.end()); }};
  return {name, dtype, tensor.shape, [&tensor, dtype] {
            std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
            engine::to_floats(tensor.dtype, tensor.bytes, values);
            return engine::from_floats(dtype, values);
          }};
}

/// What the model asks for, in its order. Throws FileError where the source lacks it.
std::vector<engine::TensorToWrite> by_list(const Source& source, const ModelList& list, const std::string& dtype) {
  std::vector<engine::TensorToWrite> tensors;
  for (const ListedTensor& listed : list.tensors) {
    const StoredTensor* stored = source.find(listed.name);
    if (stored == nullptr && !listed.or_else.empty()) stored = source.find(listed.or_else);
    if (stored == nullptr && listed.default_value) {
      tensors.push_back(*listed.default_value);
    } else if (stored == nullptr) {
      throw FileError(source.first().path(),
                      fmt::format("has no tensor '{}', which {} needs", listed.name, list.model));
    } else if (stored->shape != listed.shape) {
      throw FileError(source.first().path(), fmt::format("tensor '{}' is {}, but {}'s is {}", listed.name,
                                                         graph::to_string(stored->shape), list.model,
                                                         graph::to_string(listed.shape)));
    } else {
      tensors.push_back(converted(listed.name, *stored, dtype));
    }
  }
  return tensors;
}

void report_unused(const Source& source, const ModelList& list) {
  std::set<std::string> known(list.dropped.begin(), list.dropped.end());
  for (const ListedTensor& listed : list.tensors) known.insert(listed.name);
  std::vector<std::string> unused;
  for (const auto& [name, tensor] : source.tensors)
    if (!known.contains(name)) unused.push_back(name);
  if (!unused.empty())
    fmt::print("{}: not of {}: {}\n", source.first().path().string(), list.model, fmt::join(unused, ", "));
}

/// What the input says of its model, and the options that win over it.
train::ModelDescription describe(const Source& source, const Options& options) {
  auto description = train::ModelDescription::from_partial_metadata(source.first().metadata(), source.first().path());
  if (!options.model.empty()) {
    description.model = options.model;
    description.preprocessing = train::preprocessing_from(source.first().metadata(), options.model);
  }
  if (options.size > 0) description.size = options.size;
  if (description.model.empty() && (options.drop_head || options.size > 0 || !options.class_names.empty()))
    throw cli::UsageError("--drop-head, --size and --class-names need --model: the input does not say which it is");
  if (!options.class_names.empty()) description.classes = read_class_names(options.class_names);
  if (options.drop_head) description.classes.clear();
  return description;
}

/// By the classifier's bias, which is the last of every head. Throws FileError where the classes' names are more or
/// fewer.
std::int64_t classes_in(const Source& source, const train::ModelDescription& description) {
  const std::string& bias = models::find_model(description.model).head_keys.back();
  const StoredTensor* stored = source.find(bias);
  const auto named = static_cast<std::int64_t>(description.classes.size());
  if (stored == nullptr || stored->shape.size() != 1) return named > 0 ? named : 1000;
  if (named > 0 && named != stored->shape[0])
    throw FileError(source.first().path(), fmt::format("its head '{}' has {} classes, but {} are named", bias,
                                                       stored->shape[0], named));
  return stored->shape[0];
}

/// The input's, with what is known of the model now.
std::map<std::string, std::string> metadata_of(const Source& source, const train::ModelDescription& description) {
  std::map<std::string, std::string> metadata = description.to_metadata();
  for (const auto& [key, value] : source.first().metadata())
    if (!train::ModelDescription::owns(key)) metadata.emplace(key, value);
  return metadata;
}

std::string stored_dtype(const std::string& option) {
  if (option == "float16") return "F16";
  return option == "bfloat16" ? "BF16" : "F32";
}

}  // namespace

void add_options(CLI::App& command, Options& options) {
  command
      .add_option(
          "input", options.input,
          "a safetensors file, or a folder RUN/checkpoints/step-…; tools/pth.py makes the former of a .pth file")
      ->required();
  command.add_option("output", options.output, "the safetensors file to write")->required();
  command.add_option(
      "--model", options.model,
      "check names and shapes against this model, and leave out what is not of it; the default is what the "
      "input's metadata says");
  command.add_option("--size", options.size, "height and width of the images it is for")->check(CLI::Range(1, 1 << 20));
  command.add_option("--class-names", options.class_names,
                     "file with a class' name a line, which eval and predict need; PyTorch's checkpoints have none");
  command.add_option("--weights", options.weights, "plain, or ema: the moving averages")
      ->check(CLI::IsMember({"plain", "ema"}));
  command.add_option("--dtype", options.dtype, "float32, float16 or bfloat16")
      ->check(CLI::IsMember({"float32", "float16", "bfloat16"}));
  command.add_flag("--drop-head", options.drop_head, "leave out the layers whose size is the number of classes");
}

int run(const Options& options) {
  const bool averaged = options.weights == "ema";
  std::error_code error;
  const Source source = fs::is_directory(options.input, error) ? open_folder(options.input, averaged)
                                                               : open_file(options.input, averaged);
  const train::ModelDescription description = describe(source, options);
  const std::string dtype = stored_dtype(options.dtype);
  std::vector<engine::TensorToWrite> tensors;
  if (description.model.empty()) {
    for (const auto& [name, tensor] : source.tensors) tensors.push_back(converted(name, *tensor, dtype));
  } else {
    const ModelList list = list_tensors(description, classes_in(source, description), options.drop_head);
    tensors = by_list(source, list, dtype);
    report_unused(source, list);
  }
  engine::write_safetensors(options.output, tensors, metadata_of(source, description));
  fmt::print("{}: {} tensors, {}\n", options.output.string(), tensors.size(),
             description.model.empty() ? "checked against no model (--model names one)"
                                       : "as " + description.model + " has them");
  return 0;
}

}  // namespace bramble::convert
