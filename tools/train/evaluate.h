// A trained model over a dataset.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/data/dataset.h"
#include "engine/data/preprocessing.h"
#include "engine/trainer.h"

namespace bramble::train {

/// What a model's file says about it, beside its tensors: how it was built and what its outputs mean.
struct ModelDescription {
  std::string model;
  std::int64_t size = 224;
  std::vector<std::string> classes;
  engine::Preprocessing preprocessing = {};

  /// Without what is not known: an empty model, no classes.
  std::map<std::string, std::string> to_metadata() const;
  /// Throws engine::FileError where `metadata`, of the file `path`, lacks something.
  static ModelDescription from_metadata(const std::map<std::string, std::string>& metadata,
                                        const std::filesystem::path& path);
  /// The same, with an empty model, no classes and the default size where `metadata` does not tell.
  static ModelDescription from_partial_metadata(const std::map<std::string, std::string>& metadata,
                                                const std::filesystem::path& path);
  /// Whether to_metadata() may write this key.
  static bool owns(const std::string& key);
};

/// An image whose class was not the first choice.
struct Mistake {
  std::size_t sample = 0;  ///< in the dataset
  std::int32_t label = 0;
  std::size_t predicted = 0;
  double probability = 0;  ///< of what was predicted
  double loss = 0;
};

struct Evaluation {
  std::size_t images = 0;
  double loss = 0;  ///< mean cross entropy
  double top1 = 0;  ///< share
  double top5 = 0;
  std::vector<Mistake> worst;  ///< at most kWorstMistakes, the largest loss first
  std::vector<std::vector<std::size_t>> confusion;  ///< [true class][predicted class], images
};

inline constexpr std::size_t kWorstMistakes = 24;

/// The model for evaluation; its values are set afterwards. `lent`: engine::Evaluator.
engine::Evaluator make_evaluator(const ModelDescription& description, std::int64_t batch, int threads,
                                 std::span<std::byte> lent = {});

/// Runs `evaluator`, built for `batch` images, over all images of `data`. What cannot be decoded is reported and left
/// out. `before_batch` is called if set; what it throws ends the evaluation.
Evaluation evaluate(engine::Evaluator& evaluator, const engine::DatasetPtr& data, const ModelDescription& description,
                    std::int64_t batch, int loader_threads, const std::function<void(const std::string&)>& report_skip,
                    const std::function<void()>& before_batch = {});

}  // namespace bramble::train
