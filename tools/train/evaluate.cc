#include "tools/train/evaluate.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/data/file.h"
#include "engine/data/loader.h"
#include "models/registry.h"
#include "tools/train/preprocessing.h"

namespace bramble::train {
namespace {

constexpr const char* kFormatKey = "format";
constexpr const char* kModelKey = "bramble.model";
constexpr const char* kSizeKey = "bramble.size";
constexpr const char* kClassesKey = "bramble.classes";

struct Scores {
  double loss = 0;
  std::size_t best = 0;
  double probability = 0;  ///< of the best
  std::size_t rank = 0;  ///< how many classes score higher than the true one
};

Scores score(std::span<const float> logits, std::int32_t label) {
  Scores scores;
  const float own = logits[static_cast<std::size_t>(label)];
  const float largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - largest);
  scores.loss = std::log(sum) + largest - own;
  scores.probability = 1 / sum;
  scores.best = static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
  scores.rank = static_cast<std::size_t>(std::count_if(logits.begin(), logits.end(), [&](float x) { return x > own; }));
  return scores;
}

/// Keeps the list sorted and short.
void note_mistake(std::vector<Mistake>& worst, const Mistake& mistake) {
  const auto place = std::ranges::find_if(worst, [&](const Mistake& other) { return other.loss < mistake.loss; });
  worst.insert(place, mistake);
  if (worst.size() > kWorstMistakes) worst.pop_back();
}

}  // namespace

std::map<std::string, std::string> ModelDescription::to_metadata() const {
  std::map<std::string, std::string> metadata = {{kFormatKey, "pt"}};
  if (model.empty()) return metadata;
  metadata[kModelKey] = model;
  metadata[kSizeKey] = std::to_string(size);
  if (!classes.empty()) metadata[kClassesKey] = nlohmann::json(classes).dump();
  add_to(metadata, preprocessing);
  return metadata;
}

ModelDescription ModelDescription::from_metadata(const std::map<std::string, std::string>& metadata,
                                                 const std::filesystem::path& path) {
  for (const char* key : {kModelKey, kSizeKey, kClassesKey})
    if (!metadata.contains(key))
      throw engine::FileError(path, std::string("its metadata has no ") + key +
                                        "; `bramble convert --model M --class-names FILE` makes a file that has it");
  return from_partial_metadata(metadata, path);
}

ModelDescription ModelDescription::from_partial_metadata(const std::map<std::string, std::string>& metadata,
                                                         const std::filesystem::path& path) {
  ModelDescription description;
  try {
    for (const auto& [key, value] : metadata) {
      if (key == kModelKey) description.model = value;
      if (key == kSizeKey) description.size = std::stoll(value);
      if (key == kClassesKey) description.classes = nlohmann::json::parse(value).get<std::vector<std::string>>();
    }
    if (!description.model.empty()) description.preprocessing = preprocessing_from(metadata, description.model);
  } catch (const std::exception& error) {
    throw engine::FileError(path, std::string("its metadata is malformed: ") + error.what());
  }
  return description;
}

bool ModelDescription::owns(const std::string& key) {
  return key == kFormatKey || key.starts_with("bramble.");
}

engine::Evaluator make_evaluator(const ModelDescription& description, std::int64_t batch, int threads,
                                 std::span<std::byte> lent) {
  const auto classes = static_cast<std::int64_t>(description.classes.size());
  return {models::build_model(models::find_model(description.model),
                              {.batch = batch, .size = description.size, .classes = classes, .training = false}),
          threads, engine::MemoryMode::planned, lent};
}

Evaluation evaluate(engine::Evaluator& evaluator, const engine::DatasetPtr& data, const ModelDescription& description,
                    std::int64_t batch, int loader_threads,
                    const std::function<void(const std::string&)>& report_skip,
                    const std::function<void()>& before_batch) {
  const std::size_t classes = description.classes.size();
  Evaluation result;
  result.confusion.assign(classes, std::vector<std::size_t>(classes, 0));
  engine::Loader loader(data,
                        {.batch = static_cast<int>(batch), .size = static_cast<int>(description.size),
                         .threads = loader_threads, .shuffle = false, .preprocessing = description.preprocessing,
                         .partial = true},
                        report_skip);
  std::vector<std::int32_t> labels(static_cast<std::size_t>(batch));
  while (const std::size_t filled = loader.next_of_epoch(evaluator.images(), labels)) {
    if (before_batch) before_batch();
    evaluator.run();
    for (std::size_t i = 0; i < filled; ++i) {
      const Scores scores = score(evaluator.logits().subspan(i * classes, classes), labels[i]);
      result.loss += scores.loss;
      result.top1 += scores.rank < 1 ? 1 : 0;
      result.top5 += scores.rank < 5 ? 1 : 0;
      if (scores.rank > 0)
        note_mistake(result.worst, {loader.samples()[i], labels[i], scores.best, scores.probability, scores.loss});
      ++result.confusion[static_cast<std::size_t>(labels[i])][scores.best];
    }
    result.images += filled;
  }
  if (result.images == 0) throw std::runtime_error("no readable image to evaluate");
  const auto count = static_cast<double>(result.images);
  result.loss /= count;
  result.top1 /= count;
  result.top5 /= count;
  return result;
}

}  // namespace bramble::train
