// What is drawn: RandAugment's ops and arguments, colour jitter, random erasing, mixup.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "engine/data/color_jitter.h"
#include "engine/data/erase.h"
#include "engine/data/mixup.h"
#include "engine/data/preprocessor.h"
#include "engine/data/rand_augment.h"
#include "tests/data/expected.h"

namespace bramble::engine {
namespace {

constexpr int kSize = 20;
constexpr std::size_t kBytes = kSize * kSize * 3;

std::vector<std::uint8_t> picture() { return test::pattern(kSize, kSize).pixels; }

TEST(RandAugment, OpsAndArgumentsAreTimms) {
  std::map<std::string, RandOp> ops;
  for (const auto& line : test::expected_lines("rand", "data/augment.txt"))
    ops[line[1]] = static_cast<RandOp>(ops.size());
  ASSERT_EQ(ops.size(), kRandOps);
  EXPECT_EQ(ops.at("AutoContrast"), RandOp::auto_contrast);
  EXPECT_EQ(ops.at("SolarizeAdd"), RandOp::solarize_add);
  EXPECT_EQ(ops.at("TranslateYRel"), RandOp::translate_y_rel);
  const auto levels = test::expected_lines("level", "data/augment.txt");
  ASSERT_EQ(levels.size(), kRandOps * 10);
  for (const auto& line : levels)
    EXPECT_DOUBLE_EQ(rand_argument(ops.at(line[1]), std::stod(line[2]), line[3] == "1"), std::stod(line[4]))
        << line[1] << ' ' << line[2];
}

TEST(RandAugment, EachOpDoesWhatItsNameSays) {
  std::vector<std::uint8_t> scratch;
  const AffineOptions options{Interpolation::bicubic, {1, 2, 3}};
  const auto after = [&](RandOp op, double argument) {
    std::vector<std::uint8_t> rgb = picture();
    apply(op, argument, {kSize, kSize, rgb}, options, scratch);
    return rgb;
  };
  const auto expected = [&](auto&& change) {
    std::vector<std::uint8_t> rgb = picture();
    change(Pixels{kSize, kSize, rgb});
    return rgb;
  };
  EXPECT_EQ(after(RandOp::auto_contrast, 0), expected([](Pixels p) { autocontrast(p); }));
  EXPECT_EQ(after(RandOp::equalize, 0), expected([](Pixels p) { equalise(p); }));
  EXPECT_EQ(after(RandOp::invert, 0), expected([](Pixels p) { invert(p); }));
  EXPECT_EQ(after(RandOp::rotate, 20), expected([&](Pixels p) { rotate(p, 20, options, scratch); }));
  EXPECT_EQ(after(RandOp::posterize_increasing, 2), expected([](Pixels p) { posterise(p, 2); }));
  EXPECT_EQ(after(RandOp::solarize_increasing, 99), expected([](Pixels p) { solarise(p, 99); }));
  EXPECT_EQ(after(RandOp::solarize_add, 99), expected([](Pixels p) { solarise_add(p, 99); }));
  EXPECT_EQ(after(RandOp::color_increasing, 1.5), expected([](Pixels p) { adjust_saturation(p, 1.5); }));
  EXPECT_EQ(after(RandOp::contrast_increasing, 1.5), expected([](Pixels p) { adjust_contrast(p, 1.5); }));
  EXPECT_EQ(after(RandOp::brightness_increasing, 1.5), expected([](Pixels p) { adjust_brightness(p, 1.5); }));
  EXPECT_EQ(after(RandOp::sharpness_increasing, 1.5), expected([&](Pixels p) { adjust_sharpness(p, 1.5, scratch); }));
  EXPECT_EQ(after(RandOp::shear_x, 0.2), expected([&](Pixels p) {
              transform(p, {1, 0.2, 0, 0, 1, 0}, options, scratch);
            }));
  EXPECT_EQ(after(RandOp::shear_y, 0.2), expected([&](Pixels p) {
              transform(p, {1, 0, 0, 0.2, 1, 0}, options, scratch);
            }));
  EXPECT_EQ(after(RandOp::translate_x_rel, 0.25), expected([&](Pixels p) {
              transform(p, {1, 0, 5, 0, 1, 0}, options, scratch);
            }));
  EXPECT_EQ(after(RandOp::translate_y_rel, 0.25), expected([&](Pixels p) {
              transform(p, {1, 0, 0, 0, 1, 5}, options, scratch);
            }));
}

TEST(RandAugment, AQuarterOfThePicturesStayAsTheyAre) {
  const std::vector<std::uint8_t> before = picture();
  std::vector<std::uint8_t> scratch;
  int unchanged = 0;
  constexpr int kDraws = 2000;
  for (std::uint64_t i = 0; i < kDraws; ++i) {
    std::vector<std::uint8_t> rgb = before;
    DataRandom random(1, i);
    rand_augment({kSize, kSize, rgb}, {}, random, scratch);
    unchanged += rgb == before ? 1 : 0;
  }
  // Neither of two ops, each done with probability 1/2; AutoContrast leaves this picture, which has all values, alone
  // too.
  EXPECT_NEAR(unchanged, kDraws * std::pow(1 - 0.5 * 14 / 15, 2), 100);
}

TEST(ColorJitter, DrawsFactorsAndTheirOrder) {
  // Of one gray value only brightness shows: value * factor.
  std::vector<double> factors;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    std::vector<std::uint8_t> rgb(kBytes, 100);
    DataRandom random(1, i);
    jitter_colours({kSize, kSize, rgb}, {.brightness = 0.4}, random);
    factors.push_back(rgb[0] / 100.0);
  }
  EXPECT_NEAR(*std::ranges::min_element(factors), 0.6, 0.02);
  EXPECT_NEAR(*std::ranges::max_element(factors), 1.4, 0.02);
  EXPECT_NEAR(std::accumulate(factors.begin(), factors.end(), 0.0) / 2000, 1, 0.02);
  // Above 1 the range begins at 0.
  double smallest = 1;
  for (std::uint64_t i = 0; i < 500; ++i) {
    std::vector<std::uint8_t> rgb(kBytes, 100);
    DataRandom random(2, i);
    jitter_colours({kSize, kSize, rgb}, {.brightness = 1.5}, random);
    smallest = std::min(smallest, rgb[0] / 100.0);
  }
  EXPECT_LT(smallest, 0.05);
}

TEST(ColorJitter, EachNumberIsForItsOwnChange) {
  const ColorJitter alone[] = {{.contrast = 0.4}, {.saturation = 0.4}, {.hue = 0.2}};
  for (const ColorJitter& jitter : alone) {
    std::vector<std::uint8_t> rgb = picture(), gray(kBytes, 100);
    DataRandom random(1, 1);
    jitter_colours({kSize, kSize, rgb}, jitter, random);
    EXPECT_NE(rgb, picture());
    jitter_colours({kSize, kSize, gray}, jitter, random);
    EXPECT_EQ(gray, std::vector<std::uint8_t>(kBytes, 100)) << "only brightness changes what is one gray";
  }
}

TEST(Erase, BoxesHaveTimmsAreasAndRatios) {
  DataRandom random(1, 1);
  double area_sum = 0, smallest = 1, largest = 0, narrowest = 9, widest = 0;
  constexpr int kDraws = 4000;
  for (int i = 0; i < kDraws; ++i) {
    const std::optional<Box> box = erased_box(224, random);
    ASSERT_TRUE(box);
    ASSERT_GE(std::min(box->left, box->top), 0);
    ASSERT_LE(std::max(box->left + box->width, box->top + box->height), 224);
    const double area = static_cast<double>(box->width) * box->height / (224.0 * 224);
    const double ratio = static_cast<double>(box->height) / box->width;
    area_sum += area;
    smallest = std::min(smallest, area);
    largest = std::max(largest, area);
    narrowest = std::min(narrowest, ratio);
    widest = std::max(widest, ratio);
  }
  EXPECT_NEAR(smallest, 0.02, 0.002);
  EXPECT_NEAR(largest, 1.0 / 3, 0.01);
  EXPECT_NEAR(narrowest, 0.3, 0.02);
  EXPECT_NEAR(widest, 1 / 0.3, 0.2);
  EXPECT_NEAR(area_sum / kDraws, 0.176, 0.006) << "timm 0.9.10's mean: of large areas some ratios do not fit";
}

TEST(Erase, NoiseFillsOneBoxOfSoManyPictures) {
  const std::vector<float> before(kBytes, 7.0f);
  int erased = 0;
  double sum = 0, squares = 0;
  std::size_t values = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    std::vector<float> picture = before;
    DataRandom random(3, i);
    erase_randomly(kSize, 0.25, random, picture);
    erased += picture == before ? 0 : 1;
    for (const float value : picture) {
      if (value == 7.0f) continue;
      ++values;
      sum += value;
      squares += static_cast<double>(value) * value;
    }
  }
  EXPECT_NEAR(erased, 250, 45);
  EXPECT_NEAR(sum / static_cast<double>(values), 0, 0.02);
  EXPECT_NEAR(squares / static_cast<double>(values), 1, 0.02);
}

TEST(Preprocessor, AppliesAllThatIsAskedForAndNothingElse) {
  const Image image = test::pattern(50, 40);
  const auto values = [&](const AugmentOptions& options) {
    std::vector<float> result(kBytes);
    Preprocessor(kSize, {}, options).apply(image, {1, 3}, result);
    return result;
  };
  const std::vector<float> plain = values({});
  EXPECT_EQ(values({.jitter = {}, .erase = 0}), plain);
  EXPECT_NE(values({.flip = 1}), plain);
  EXPECT_NE(values({.crop = true}), plain);
  EXPECT_NE(values({.jitter = {.hue = 0.5}}), plain);
  EXPECT_NE(values({.erase = 1}), plain);
  int changed = 0;
  for (std::uint64_t i = 0; i < 20; ++i) {
    std::vector<float> result(kBytes);
    Preprocessor(kSize, {}, {.rand_augment = true}).apply(image, {1, i}, result);
    changed += result == plain ? 0 : 1;
  }
  EXPECT_GT(changed, 5);
}

TEST(Mixup, SharesComeFromBeta) {
  // E[max(x, 1 - x)] of Beta(a, a), from four million of numpy's.
  const std::map<double, double> means = {{0.05, 0.9683}, {0.2, 0.8988}, {1, 0.75}, {10, 0.5882}};
  for (const auto& [alpha, mean] : means) {
    double sum = 0;
    constexpr int kDraws = 20000;
    for (std::uint64_t i = 0; i < kDraws; ++i) {
      DataRandom random(1, i);
      const float share = mixup_share(alpha, random);
      ASSERT_GE(share, 0.5f);
      ASSERT_LE(share, 1.0f);
      sum += share;
    }
    EXPECT_NEAR(sum / kDraws, mean, 0.004) << alpha;
  }
  DataRandom random(1, 1);
  EXPECT_EQ(mixup_share(1e-6, random), 1.0f) << "no division by zero where both numbers underflow";
}

TEST(Mixup, BlendsWithTheReversedBatch) {
  for (const std::size_t batch : {1, 2, 5, 6}) {
    std::vector<float> images(batch * 4);
    std::iota(images.begin(), images.end(), 0.0f);
    const std::vector<float> before = images;
    std::vector<std::int32_t> labels(batch), others(batch);
    std::iota(labels.begin(), labels.end(), 10);
    std::vector<float> shares(batch);
    mix_with_reversed(0.75f, images, labels, others, shares);
    for (std::size_t i = 0; i < batch; ++i) {
      const std::size_t other = batch - 1 - i;
      EXPECT_EQ(others[i], labels[other]);
      EXPECT_EQ(shares[i], 0.75f);
      for (std::size_t k = 0; k < 4; ++k)
        EXPECT_FLOAT_EQ(images[i * 4 + k], 0.75f * before[i * 4 + k] + 0.25f * before[other * 4 + k]);
    }
  }
}

}  // namespace
}  // namespace bramble::engine
