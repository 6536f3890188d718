#include "engine/data/generated.h"

#include <gtest/gtest.h>

#include <iterator>
#include <stdexcept>

#include "engine/data/image_decoder.h"
#include "engine/data/image_folder.h"
#include "tests/support/files.h"

namespace bramble::engine {
namespace {

namespace fs = std::filesystem;

const GeneratedOptions kSmall = {.classes = 3, .images = 7, .size = 40, .seed = 5};

TEST(Generated, EveryClassHasImagesOfTheSizeAsked) {
  const test::TemporaryFolder cache;
  int last = 0;
  const fs::path root = generated_images(cache.path(), kSmall, [&](int done, int total) {
    EXPECT_EQ(total, 7);
    EXPECT_EQ(done, last + 1);
    last = done;
  });
  EXPECT_EQ(last, 7);
  const ImageFolder folder = read_image_folder(root, 3);
  EXPECT_EQ(folder.classes.size(), 3U);
  EXPECT_EQ(folder.samples.size(), 7U);
  Image image;
  ImageDecoder decoder;
  for (const Sample& sample : folder.samples) {
    decoder.decode(sample.path, image);
    EXPECT_EQ(image.width, 40);
    EXPECT_EQ(image.height, 40);
  }
}

TEST(Generated, OneImageAClassAtLeast) {
  const test::TemporaryFolder cache;
  const fs::path root = generated_images(cache.path(), {.classes = 12, .images = 5, .size = 8, .seed = 0}, nullptr);
  EXPECT_EQ(read_image_folder(root, 12).classes.size(), 12U);
}

TEST(Generated, TheSecondCallWritesNothing) {
  const test::TemporaryFolder cache;
  const fs::path first = generated_images(cache.path(), kSmall, nullptr);
  const fs::path again = generated_images(cache.path(), kSmall, [](int, int) { FAIL() << "written again"; });
  EXPECT_EQ(first, again);
}

TEST(Generated, TheSameSeedGivesTheSameBytes) {
  const test::TemporaryFolder one, other;
  const fs::path a = generated_images(one.path(), kSmall, nullptr);
  const fs::path b = generated_images(other.path(), kSmall, nullptr);
  const fs::path name = fs::path("class_00001") / "image_00004.jpg";
  EXPECT_EQ(test::read_whole(a / name), test::read_whole(b / name));
  EXPECT_NE(test::read_whole(a / name), test::read_whole(a / "class_00001" / "image_00001.jpg"));
}

TEST(Generated, WhatWasInterruptedIsNeverUsed) {
  const test::TemporaryFolder cache;
  const auto interrupt = [](int done, int) {
    if (done == 3) throw std::runtime_error("interrupted");
  };
  EXPECT_THROW(generated_images(cache.path(), kSmall, interrupt), std::runtime_error);
  EXPECT_EQ(fs::directory_iterator(cache.path()), fs::directory_iterator());
  EXPECT_EQ(read_image_folder(generated_images(cache.path(), kSmall, nullptr), 3).samples.size(), 7U);
}

TEST(Generated, LeftoversOfKilledProcessesGo) {
  const test::TemporaryFolder cache;
  const fs::path target = generated_images(cache.path(), kSmall, nullptr);
  fs::rename(target, target.string() + ".tmp-99999999");
  generated_images(cache.path(), kSmall, nullptr);
  EXPECT_EQ(std::distance(fs::directory_iterator(cache.path()), fs::directory_iterator()), 1);
}

}  // namespace
}  // namespace bramble::engine
