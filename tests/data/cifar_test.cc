#include "engine/data/cifar.h"

#include <gtest/gtest.h>

#include "tests/data/packed_files.h"
#include "tests/support/errors.h"

namespace bramble::engine {
namespace {

void expect_picture(const Dataset& data, std::size_t sample, std::size_t image) {
  ImageDecoder decoder;
  Image decoded;
  data.decode(sample, decoder, decoded);
  ASSERT_EQ(decoded.width, 32);
  ASSERT_EQ(decoded.height, 32);
  for (std::size_t pixel = 0; pixel < 1024; ++pixel)
    for (std::size_t channel = 0; channel < 3; ++channel)
      ASSERT_EQ(decoded.pixels[pixel * 3 + channel], static_cast<std::uint8_t>(test::raw_byte(image, channel, pixel)));
}

std::string error_of(const std::filesystem::path& folder) {
  return test::error_of<FileError>([&] { find_cifar(folder); });
}

TEST(Cifar, TenClassesComeFromFiveBatchesAndATest) {
  const test::TemporaryFolder folder;
  test::write_cifar10(folder.path(), 4);
  const auto found = find_cifar(folder.path());
  ASSERT_TRUE(found);
  ASSERT_EQ(found->train->size(), 20U);
  ASSERT_EQ(found->test->size(), 4U);
  EXPECT_EQ(found->train->class_names().at(9), "truck");
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(found->train->label(i), static_cast<std::int32_t>(i % 10));
    expect_picture(*found->train, i, i);
  }
  expect_picture(*found->test, 3, 23);
  EXPECT_TRUE(found->train->name(5).ends_with("data_batch_2.bin: image 1")) << found->train->name(5);
}

TEST(Cifar, AHundredClassesTakeTheFineLabel) {
  const test::TemporaryFolder folder;
  test::write_whole(folder / "train.bin", test::cifar_records(3, 2, 100, 97));
  const auto found = find_cifar(folder.path());
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->test);
  EXPECT_EQ(found->train->class_names().size(), 100U);
  EXPECT_EQ(found->train->label(2), 99);
  expect_picture(*found->train, 2, 99);
}

TEST(Cifar, ClassNamesComeAlong) {
  const test::TemporaryFolder folder;
  test::write_cifar10(folder.path(), 1);
  test::write_whole(folder / "batches.meta.txt", "a\nb\nc\nd\ne\nf\ng\nh \r\ni\nblue whale\n\n");
  EXPECT_EQ(find_cifar(folder.path())->train->class_names()[7], "h");
  EXPECT_EQ(find_cifar(folder.path())->train->class_names()[9], "blue whale");
  test::write_whole(folder / "batches.meta.txt", "a\nb\n");
  EXPECT_NE(error_of(folder.path()).find("holds 2 names instead of 10"), std::string::npos);
}

TEST(Cifar, OneFileIsKnownByItsSize) {
  const test::TemporaryFolder folder;
  test::write_whole(folder / "some.bin", test::cifar_records(3, 1, 10));
  EXPECT_EQ(read_cifar_file(folder / "some.bin")->class_names().size(), 10U);
  test::write_whole(folder / "other.bin", test::cifar_records(3, 2, 100));
  EXPECT_EQ(read_cifar_file(folder / "other.bin")->class_names().size(), 100U);
  for (const char* text : {"", "some text"}) {
    test::write_whole(folder / "bad.bin", text);
    const std::string error = test::error_of<FileError>([&] { read_cifar_file(folder / "bad.bin"); });
    EXPECT_NE(error.find("neither a folder nor a .bin file"), std::string::npos) << error;
  }
}

TEST(Cifar, DamagedFilesAreNamed) {
  const test::TemporaryFolder folder;
  EXPECT_FALSE(find_cifar(folder.path()));
  test::write_cifar10(folder.path(), 2);
  const auto file = folder / "data_batch_3.bin";
  const std::string whole = test::read_whole(file);
  for (const std::size_t kept : {std::size_t{0}, std::size_t{1}, std::size_t{3072}, whole.size() - 1}) {
    test::write_whole(file, whole.substr(0, kept));
    EXPECT_NE(error_of(folder.path()).find("data_batch_3.bin: " + std::to_string(kept) + " bytes are no whole records"),
              std::string::npos);
  }
  std::string wrong = whole;
  wrong[3073] = 10;
  test::write_whole(file, wrong);
  EXPECT_NE(error_of(folder.path()).find("image 1 has label 10"), std::string::npos);
  std::filesystem::remove(file);
  EXPECT_EQ(error_of(folder.path()), "");
  for (int i = 1; i <= 5; ++i) std::filesystem::remove(folder / ("data_batch_" + std::to_string(i) + ".bin"));
  EXPECT_NE(error_of(folder.path()).find("test_batch.bin but no data_batch"), std::string::npos);
}

TEST(Cifar, AFileCutShortMeanwhileIsGone) {
  const test::TemporaryFolder folder;
  test::write_cifar10(folder.path(), 2);
  const auto found = find_cifar(folder.path());
  std::filesystem::resize_file(folder / "data_batch_1.bin", 4000);
  ImageDecoder decoder;
  Image image;
  found->train->decode(0, decoder, image);
  EXPECT_THROW(found->train->decode(1, decoder, image), FileError);
  EXPECT_THROW(found->train->check_present(1), DataGone);
}

TEST(Cifar, PythonsVersionIsRefusedWithTheWayOut) {
  const test::TemporaryFolder folder;
  test::write_whole(folder / "data_batch_1", "\x80\x02}");
  test::write_whole(folder / "batches.meta", "\x80\x02}");
  EXPECT_NE(error_of(folder.path()).find("tools/cifar_to_binary.py"), std::string::npos);
}

}  // namespace
}  // namespace bramble::engine
