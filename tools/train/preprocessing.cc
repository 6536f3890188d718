#include "tools/train/preprocessing.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vector>

#include "models/preprocessing.h"
#include "tools/cli/program.h"

namespace bramble::train {
namespace {

using engine::Interpolation;
using engine::Preprocessing;
using Three = std::array<double, 3>;

constexpr const char* kMeanKey = "bramble.mean";
constexpr const char* kDeviationKey = "bramble.std";
constexpr const char* kCropKey = "bramble.crop_pct";
constexpr const char* kInterpolationKey = "bramble.interpolation";

Interpolation interpolation_of(std::string_view name) {
  if (name == "bilinear") return Interpolation::bilinear;
  if (name == "bicubic") return Interpolation::bicubic;
  throw std::invalid_argument("unknown interpolation '" + std::string(name) + "'");
}

/// "0.5" or "0.5,0.4,0.3" in numbers; empty where it is something else.
std::vector<double> numbers_of(const std::string& text) {
  try {
    return nlohmann::json::parse("[" + text + "]").get<std::vector<double>>();
  } catch (const nlohmann::json::exception&) {
    return {};
  }
}

/// "R,G,B", or one number for all three.
Three three_of(const std::string& option, const std::string& text) {
  const std::vector<double> numbers = numbers_of(text);
  if (numbers.size() == 1) return {numbers[0], numbers[0], numbers[0]};
  if (numbers.size() == 3) return {numbers[0], numbers[1], numbers[2]};
  throw cli::UsageError(option + ": '" + text + "' is neither one number nor three like 0.485,0.456,0.406");
}

engine::ColorJitter jitter_of(const std::string& text) {
  if (text.empty()) return {};
  std::vector<double> numbers = numbers_of(text);
  if (numbers.size() == 1) numbers = {numbers[0], numbers[0], numbers[0]};
  if (numbers.size() == 3) numbers.push_back(0);
  const bool good =
      numbers.size() == 4 && numbers[3] <= 0.5 && std::ranges::all_of(numbers, [](double n) { return n >= 0; });
  if (!good)
    throw cli::UsageError("--color-jitter: '" + text +
                          "' is neither one number nor three, nor four with a hue up to 0.5");
  return {numbers[0], numbers[1], numbers[2], numbers[3]};
}

void check(const Preprocessing& preprocessing) {
  for (const double deviation : preprocessing.deviation)
    if (!(deviation > 0)) throw std::invalid_argument("a standard deviation must be above 0");
  if (!(preprocessing.crop_pct > 0 && preprocessing.crop_pct <= 1))
    throw std::invalid_argument("the crop's share must be above 0 and at most 1");
}

}  // namespace

Preprocessing own_preprocessing(const std::string& model) {
  const models::Preprocessing own = models::preprocessing_of(model);
  return {own.mean, own.deviation, own.crop_pct, interpolation_of(own.interpolation)};
}

Preprocessing preprocessing_of(const Options& options) {
  Preprocessing chosen = own_preprocessing(options.model);
  if (!options.mean.empty()) chosen.mean = three_of("--mean", options.mean);
  if (!options.deviation.empty()) chosen.deviation = three_of("--std", options.deviation);
  if (options.crop_pct > 0) chosen.crop_pct = options.crop_pct;
  if (!options.interpolation.empty()) chosen.interpolation = interpolation_of(options.interpolation);
  try {
    check(chosen);
  } catch (const std::invalid_argument& error) {
    throw cli::UsageError(std::string("--std, --crop-pct: ") + error.what());
  }
  return chosen;
}

engine::AugmentOptions augmentation_of(const Options& options) {
  const bool augments = options.augment != "none";
  return {.crop = augments,
          .smallest_crop = options.smallest_crop,
          .flip = augments ? options.flip : 0,
          .rand_augment = options.augment == "rand",
          .jitter = jitter_of(options.color_jitter),
          .erase = options.erase};
}

void add_to(std::map<std::string, std::string>& metadata, const Preprocessing& preprocessing) {
  metadata[kMeanKey] = nlohmann::json(preprocessing.mean).dump();
  metadata[kDeviationKey] = nlohmann::json(preprocessing.deviation).dump();
  metadata[kCropKey] = nlohmann::json(preprocessing.crop_pct).dump();
  metadata[kInterpolationKey] = preprocessing.interpolation == Interpolation::bicubic ? "bicubic" : "bilinear";
}

Preprocessing preprocessing_from(const std::map<std::string, std::string>& metadata, const std::string& model) {
  Preprocessing found = own_preprocessing(model);
  for (const auto& [key, value] : metadata) {
    if (key == kMeanKey) found.mean = nlohmann::json::parse(value).get<Three>();
    if (key == kDeviationKey) found.deviation = nlohmann::json::parse(value).get<Three>();
    if (key == kCropKey) found.crop_pct = nlohmann::json::parse(value).get<double>();
    if (key == kInterpolationKey) found.interpolation = interpolation_of(value);
  }
  check(found);
  return found;
}

}  // namespace bramble::train
