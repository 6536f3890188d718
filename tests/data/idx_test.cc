#include "engine/data/idx.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "tests/data/packed_files.h"
#include "tests/support/errors.h"

namespace bramble::engine {
namespace {

namespace fs = std::filesystem;

void pack(const fs::path& path) {
  const std::string text = test::read_whole(path);
  const gzFile file = gzopen((path.string() + ".gz").c_str(), "wb");
  ASSERT_EQ(gzwrite(file, text.data(), static_cast<unsigned>(text.size())), static_cast<int>(text.size()));
  ASSERT_EQ(gzclose(file), Z_OK);
  fs::remove(path);
}

std::string error_of(const fs::path& folder) {
  return test::error_of<FileError>([&] { find_idx(folder); });
}

void expect_mnist(const fs::path& folder) {
  const auto found = find_idx(folder);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->train->size(), 13U);
  ASSERT_EQ(found->test->size(), 5U);
  EXPECT_EQ(found->train->class_names().size(), 10U);
  EXPECT_EQ(found->test->class_names().at(9), "9");
  ImageDecoder decoder;
  Image image;
  for (std::size_t i = 0; i < 13; ++i) {
    EXPECT_EQ(found->train->label(i), static_cast<std::int32_t>(i % 10));
    found->train->decode(i, decoder, image);
    ASSERT_EQ(image.pixels.size(), 28U * 28 * 3);
    for (std::size_t value = 0; value < image.pixels.size(); ++value)
      ASSERT_EQ(image.pixels[value], static_cast<std::uint8_t>(test::raw_byte(i, 0, value / 3)));
  }
}

TEST(Idx, GrayPicturesBecomeThreeEqualChannels) {
  const test::TemporaryFolder folder;
  EXPECT_FALSE(find_idx(folder.path()));
  test::write_mnist(folder.path(), 13, 5);
  expect_mnist(folder.path());
}

TEST(Idx, PackedFilesAreTheSame) {
  const test::TemporaryFolder folder;
  test::write_mnist(folder.path(), 13, 5);
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder.path())) files.push_back(entry.path());
  for (const fs::path& file : files) pack(file);
  expect_mnist(folder.path());
  // As torchvision leaves them: both.
  test::write_mnist(folder.path(), 13, 5);
  expect_mnist(folder.path());
}

TEST(Idx, SidesNeedNotBeEqualAndDotsMayStandForDashes) {
  const test::TemporaryFolder folder;
  test::write_whole(folder / "x-train-images.idx3-ubyte", test::idx_images(2, 3, 5));
  test::write_whole(folder / "x-train-labels.idx1-ubyte", test::idx_labels(2, 10));
  const auto found = find_idx(folder.path());
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->test);
  ImageDecoder decoder;
  Image image;
  found->train->decode(1, decoder, image);
  EXPECT_EQ(image.width, 5);
  EXPECT_EQ(image.height, 3);
}

TEST(Idx, ClassNamesMayLieBeside) {
  const test::TemporaryFolder folder;
  test::write_mnist(folder.path(), 13, 5);
  test::write_whole(folder / "classes.txt",
                    "T-shirt/top\nTrouser\nPullover\nDress\nCoat\nSandal\nShirt\nSneaker\nBag\nAnkle boot\n");
  EXPECT_EQ(find_idx(folder.path())->train->class_names()[9], "Ankle boot");
  test::write_whole(folder / "classes.txt", "one\n");
  EXPECT_NE(error_of(folder.path()).find("names 1 classes, but there is a label 9"), std::string::npos);
}

TEST(Idx, DamagedFilesAreNamed) {
  const test::TemporaryFolder folder;
  test::write_mnist(folder.path(), 13, 5);
  const fs::path images = folder / "train-images-idx3-ubyte", labels = folder / "train-labels-idx1-ubyte";
  const std::string whole = test::read_whole(images);
  for (const std::size_t kept : {std::size_t{0}, std::size_t{3}, std::size_t{15}, std::size_t{16}, whole.size() - 1}) {
    test::write_whole(images, whole.substr(0, kept));
    EXPECT_NE(error_of(folder.path()).find("train-images-idx3-ubyte: "), std::string::npos) << kept;
  }
  // Sides whose product overflows 64 bits.
  test::write_whole(images, test::big_endian(0x803) + std::string(12, '\xff'));
  EXPECT_NE(error_of(folder.path()).find("too large"), std::string::npos);
  test::write_whole(images,
                    test::big_endian(0x803) + test::big_endian(0) + test::big_endian(28) + test::big_endian(28));
  EXPECT_NE(error_of(folder.path()).find("13 labels for 0 images"), std::string::npos);
  test::write_whole(images, whole);
  test::write_whole(labels, test::idx_labels(12, 10));
  EXPECT_NE(error_of(folder.path()).find("12 labels for 13 images"), std::string::npos);
  fs::remove(labels);
  EXPECT_NE(error_of(folder.path()).find("train-labels-idx1-ubyte is missing"), std::string::npos);
}

TEST(Idx, ATruncatedPackedFileIsNamed) {
  const test::TemporaryFolder folder;
  test::write_mnist(folder.path(), 13, 5);
  const fs::path images = folder / "train-images-idx3-ubyte";
  pack(images);
  const fs::path packed = images.string() + ".gz";
  const std::string whole = test::read_whole(packed);
  for (const std::size_t kept : {std::size_t{2}, std::size_t{12}, whole.size() / 2, whole.size() - 1}) {
    test::write_whole(packed, whole.substr(0, kept));
    EXPECT_NE(error_of(folder.path()).find("train-images-idx3-ubyte.gz: "), std::string::npos) << kept;
  }
}

TEST(Idx, TwoDatasetsInOneFolderAreRefused) {
  const test::TemporaryFolder folder;
  test::write_mnist(folder.path(), 13, 5);
  test::write_whole(folder / "letters-train-images-idx3-ubyte", test::idx_images(2, 28, 28));
  test::write_whole(folder / "letters-train-labels-idx1-ubyte", test::idx_labels(2, 10));
  EXPECT_NE(error_of(folder.path()).find("more than one dataset"), std::string::npos);
}

}  // namespace
}  // namespace bramble::engine
