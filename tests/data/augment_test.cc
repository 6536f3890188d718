#include "engine/data/augment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/data/image_decoder.h"
#include "tests/support/files.h"

namespace bramble::engine {
namespace {

constexpr int kSize = 24;

Image photo() {
  Image image;
  ImageDecoder().decode(test::source_file("photos/dog/n02089973_English_foxhound.jpg"), image);
  return image;
}

std::vector<std::uint8_t> blank() { return std::vector<std::uint8_t>(kSize * kSize * 3); }

Image cut(const Image& image, const Box& box) {
  Image part{box.width, box.height, {}};
  for (int row = box.top; row < box.top + box.height; ++row) {
    const auto begin = image.pixels.begin() + (static_cast<std::ptrdiff_t>(row) * image.width + box.left) * 3;
    part.pixels.insert(part.pixels.end(), begin, begin + static_cast<std::ptrdiff_t>(box.width) * 3);
  }
  return part;
}

TEST(Augment, ACropIsResizedAsIfItWereTheWholeImage) {
  const Image image = photo();
  const Box square{31, 17, 150, 150};  // of which the resizer for whole images, held to Pillow's, takes all
  std::vector<std::uint8_t> expected = blank(), found = blank();
  Resizer().resize_and_crop(cut(image, square), kSize, expected);
  Resizer().crop_and_resize(image, square, kSize, found);
  EXPECT_EQ(found, expected);
  const Box wide{5, 60, 200, 100};
  Resizer().crop_and_resize(image, wide, kSize, found);
  Resizer().crop_and_resize(cut(image, wide), {0, 0, 200, 100}, kSize, expected);
  EXPECT_EQ(found, expected);
}

TEST(Augment, CropsHaveTorchvisionsAreasAndRatios) {
  DataRandom random(1, 2);
  double smallest = 1, largest = 0, area_sum = 0;
  constexpr int kDraws = 4000;
  for (int i = 0; i < kDraws; ++i) {
    const Box box = random_crop(400, 300, 0.08, random);
    ASSERT_GE(box.left, 0);
    ASSERT_GE(box.top, 0);
    ASSERT_LE(box.left + box.width, 400);
    ASSERT_LE(box.top + box.height, 300);
    const double area = static_cast<double>(box.width) * box.height / (400.0 * 300.0);
    const double ratio = static_cast<double>(box.width) / box.height;
    ASSERT_GT(ratio, 0.75 - 0.02);
    ASSERT_LT(ratio, 4.0 / 3 + 0.02);
    smallest = std::min(smallest, area);
    largest = std::max(largest, area);
    area_sum += area;
  }
  EXPECT_LT(smallest, 0.09);
  EXPECT_GT(largest, 0.9);
  EXPECT_NEAR(area_sum / kDraws, 0.43, 0.02) << "torchvision 0.14.1's mean: large areas often do not fit";
}

TEST(Augment, WhereNoCropFitsTheMiddleIsTaken) {
  DataRandom random(1, 2);
  EXPECT_EQ(random_crop(1000, 10, 1, random), (Box{493, 0, 13, 10}));
  EXPECT_EQ(random_crop(10, 1000, 1, random), (Box{0, 493, 10, 13}));
  EXPECT_EQ(random_crop(1, 1, 1, random), (Box{0, 0, 1, 1}));
}

TEST(Augment, SmallPicturesOfTheSizeAreMovedByUpToFourPixels) {
  Image image{kSize, kSize, std::vector<std::uint8_t>(kSize * kSize * 3)};
  for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<std::uint8_t>(1 + i % 255);
  // torchvision's definition: pad(4), then any of the 9 x 9 places.
  Image padded{kSize + 8, kSize + 8, std::vector<std::uint8_t>((kSize + 8) * (kSize + 8) * 3)};
  for (std::size_t row = 0; row < kSize; ++row)
    std::copy_n(image.pixels.begin() + static_cast<std::ptrdiff_t>(row * kSize * 3), kSize * 3,
                padded.pixels.begin() + static_cast<std::ptrdiff_t>(((row + 4) * (kSize + 8) + 4) * 3));
  std::vector<std::vector<std::uint8_t>> places;
  for (int top = 0; top < 9; ++top)
    for (int left = 0; left < 9; ++left) places.push_back(cut(padded, {left, top, kSize, kSize}).pixels);
  std::vector<int> seen(places.size());
  std::vector<std::uint8_t> found = blank();
  Augmenter augmenter(kSize, {}, {.crop = true});
  constexpr int kDraws = 81 * 40;
  for (std::uint64_t i = 0; i < kDraws; ++i) {
    DataRandom random(5, i);
    augmenter.apply(image, random, found);
    const auto place = std::find(places.begin(), places.end(), found);
    ASSERT_NE(place, places.end());
    ++seen[static_cast<std::size_t>(place - places.begin())];
  }
  EXPECT_GT(*std::min_element(seen.begin(), seen.end()), 10);
  EXPECT_LT(*std::max_element(seen.begin(), seen.end()), 90);
}

TEST(Augment, LargerPicturesOfTheSizeAreCroppedAndResized) {
  Image image{80, 80, std::vector<std::uint8_t>(80 * 80 * 3, 200)};
  std::vector<std::uint8_t> found(image.pixels.size());
  Augmenter augmenter(80, {}, {.crop = true});
  for (std::uint64_t i = 0; i < 20; ++i) {
    DataRandom random(5, i);
    augmenter.apply(image, random, found);
    EXPECT_EQ(found, image.pixels) << "a shift would bring in black";
  }
}

TEST(Augment, WithoutACropTheCentreIsTakenAsInEvaluation) {
  const Image image = photo();
  std::vector<std::uint8_t> expected = blank(), found = blank();
  DataRandom random(1, 1);
  Augmenter(kSize, {.crop_pct = 0.9, .interpolation = Interpolation::bicubic}, {}).apply(image, random, found);
  Resizer(Interpolation::bicubic).resize_and_crop(image, 26, kSize, expected);  // floor(24 / 0.9)
  EXPECT_EQ(found, expected);
  const Image small{kSize, kSize, expected};
  Augmenter(kSize, {.crop_pct = 0.9}, {}).apply(small, random, found);
  EXPECT_EQ(found, small.pixels) << "as it is";
}

TEST(Augment, FlippingTwiceGivesTheImageBack) {
  std::vector<std::uint8_t> rgb = blank();
  for (std::size_t i = 0; i < rgb.size(); ++i) rgb[i] = static_cast<std::uint8_t>(i * 7);
  const std::vector<std::uint8_t> before = rgb;
  flip_horizontally(kSize, rgb);
  EXPECT_NE(rgb, before);
  EXPECT_TRUE(std::equal(rgb.begin(), rgb.begin() + 3, before.begin() + (kSize - 1) * 3));
  flip_horizontally(kSize, rgb);
  EXPECT_EQ(rgb, before);
}

TEST(Augment, HalfOfTheImagesAreFlipped) {
  const Image image = photo();
  Augmenter augmenter(kSize, {}, {.flip = 0.5});
  std::vector<std::uint8_t> plain = blank(), found = blank();
  Resizer().resize_and_crop(image, kSize, plain);
  int flipped = 0;
  for (std::uint64_t i = 0; i < 400; ++i) {
    DataRandom random(7, i);
    augmenter.apply(image, random, found);
    flipped += found == plain ? 0 : 1;
  }
  EXPECT_NEAR(flipped, 200, 40);
}

}  // namespace
}  // namespace bramble::engine
