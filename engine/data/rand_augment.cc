#include "engine/data/rand_augment.h"

#include <algorithm>

namespace bramble::engine {
namespace {

constexpr int kOps = 2;
constexpr double kProbability = 0.5;
constexpr double kMagnitude = 9;
constexpr double kMagnitudeDeviation = 0.5;
constexpr double kLargest = 10;

}  // namespace

double rand_argument(RandOp op, double magnitude, bool negative) {
  const double level = magnitude / kLargest;
  const double sign = negative ? -1 : 1;
  switch (op) {
    case RandOp::auto_contrast:
    case RandOp::equalize:
    case RandOp::invert: return 0;
    case RandOp::rotate: return sign * level * 30;
    case RandOp::posterize_increasing: return 4 - static_cast<int>(level * 4);
    case RandOp::solarize_increasing: return 256 - std::min(256, static_cast<int>(level * 256));
    case RandOp::solarize_add: return std::min(128, static_cast<int>(level * 110));
    case RandOp::color_increasing:
    case RandOp::contrast_increasing:
    case RandOp::brightness_increasing:
    case RandOp::sharpness_increasing: return std::max(0.1, 1 + sign * level * 0.9);
    case RandOp::shear_x:
    case RandOp::shear_y: return sign * level * 0.3;
    case RandOp::translate_x_rel:
    case RandOp::translate_y_rel: return sign * level * 0.45;
  }
  return 0;
}

void apply(RandOp op, double argument, Pixels pixels, const AffineOptions& options,
           std::vector<std::uint8_t>& scratch) {
  const auto moved = [&](double xy, double x, double yx, double y) {
    transform(pixels, {1, xy, x, yx, 1, y}, options, scratch);
  };
  switch (op) {
    case RandOp::auto_contrast: return autocontrast(pixels);
    case RandOp::equalize: return equalise(pixels);
    case RandOp::invert: return invert(pixels);
    case RandOp::rotate: return rotate(pixels, argument, options, scratch);
    case RandOp::posterize_increasing: return posterise(pixels, static_cast<int>(argument));
    case RandOp::solarize_increasing: return solarise(pixels, static_cast<int>(argument));
    case RandOp::solarize_add: return solarise_add(pixels, static_cast<int>(argument));
    case RandOp::color_increasing: return adjust_saturation(pixels, argument);
    case RandOp::contrast_increasing: return adjust_contrast(pixels, argument);
    case RandOp::brightness_increasing: return adjust_brightness(pixels, argument);
    case RandOp::sharpness_increasing: return adjust_sharpness(pixels, argument, scratch);
    case RandOp::shear_x: return moved(argument, 0, 0, 0);
    case RandOp::shear_y: return moved(0, 0, argument, 0);
    case RandOp::translate_x_rel: return moved(0, argument * pixels.width, 0, 0);
    case RandOp::translate_y_rel: return moved(0, 0, 0, argument * pixels.height);
  }
}

void rand_augment(Pixels pixels, const AffineOptions& options, DataRandom& random, std::vector<std::uint8_t>& scratch) {
  std::array<RandOp, kOps> chosen{};
  for (RandOp& op : chosen) op = static_cast<RandOp>(random.below(kRandOps));
  for (const RandOp op : chosen) {
    if (!random.happens(kProbability)) continue;
    const double magnitude = std::clamp(kMagnitude + kMagnitudeDeviation * random.normal(), 0.0, kLargest);
    const bool negative = random.happens(0.5);
    apply(op, rand_argument(op, magnitude, negative), pixels, options, scratch);
  }
}

}  // namespace bramble::engine
