#include "tools/train/preprocessing.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

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

/// "R,G,B", or one number for all three.
Three three_of(const std::string& option, const std::string& text) {
  try {
    const auto numbers = nlohmann::json::parse("[" + text + "]").get<std::vector<double>>();
    if (numbers.size() == 1) return {numbers[0], numbers[0], numbers[0]};
    if (numbers.size() == 3) return {numbers[0], numbers[1], numbers[2]};
  } catch (const nlohmann::json::exception&) {
  }
  throw cli::UsageError(option + ": '" + text + "' is neither one number nor three like 0.485,0.456,0.406");
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

bool is_of_preprocessing(const std::string& key) {
  return key == kMeanKey || key == kDeviationKey || key == kCropKey || key == kInterpolationKey;
}

}  // namespace bramble::train
