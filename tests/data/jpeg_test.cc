#include "engine/data/image_decoder.h"

#include <gtest/gtest.h>

#include "engine/data/file.h"
#include "tests/support/files.h"

namespace bramble::engine {
namespace {

const char* const kPhoto = "photos/dog/n02089973_English_foxhound.jpg";

std::string error_of(const std::filesystem::path& path) {
  ImageDecoder decoder;
  Image image;
  try {
    decoder.decode(path, image);
  } catch (const FileError& error) {
    return error.what();
  }
  return "";
}

std::string error_of_bytes(std::string_view bytes) {
  const test::TemporaryFolder folder;
  test::write_whole(folder / "x.jpg", bytes);
  const std::string message = error_of(folder / "x.jpg");
  // Every message begins with the path.
  EXPECT_TRUE(message.empty() || message.starts_with((folder / "x.jpg").string() + ": ")) << message;
  return message;
}

TEST(Jpeg, GrayscaleBecomesThreeEqualChannels) {
  ImageDecoder decoder;
  Image image;
  decoder.decode(test::source_file("photos/dog/n02096051_Airedale.jpg"), image);
  EXPECT_EQ(image.width, 500);
  EXPECT_EQ(image.height, 330);
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    ASSERT_EQ(image.pixels[i], image.pixels[i + 1]);
    ASSERT_EQ(image.pixels[i], image.pixels[i + 2]);
  }
}

TEST(Jpeg, OneDecoderTakesImageAfterImage) {
  ImageDecoder decoder;
  Image reused;
  decoder.decode(test::source_file("photos/reptile/n01688243_frilled_lizard.jpg"), reused);
  decoder.decode(test::source_file(kPhoto), reused);
  Image fresh;
  ImageDecoder().decode(test::source_file(kPhoto), fresh);
  EXPECT_EQ(reused.pixels, fresh.pixels);
}

TEST(Jpeg, EveryTruncationIsAnError) {
  const std::string whole = test::read_whole(test::source_file(kPhoto));
  ASSERT_EQ(error_of_bytes(whole), "");
  for (std::size_t kept : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{20}, std::size_t{300},
                           whole.size() / 2, whole.size() - 40, whole.size() - 2}) {
    EXPECT_NE(error_of_bytes(std::string_view(whole).substr(0, kept)), "") << kept << " bytes of " << whole.size();
  }
}

TEST(Jpeg, AHoleOfZerosIsAnError) {
  std::string holed = test::read_whole(test::source_file(kPhoto));
  holed.replace(holed.size() / 2, 600, std::string(600, '\0'));
  EXPECT_NE(error_of_bytes(holed).find("corrupt JPEG"), std::string::npos);
}

TEST(Jpeg, StrayBytesBeforeTheEndAreTaken) {
  std::string padded = test::read_whole(test::source_file(kPhoto));
  padded.insert(padded.size() - 2, "\x01\x02\x03");
  EXPECT_EQ(error_of_bytes(padded), "");
}

TEST(Jpeg, OtherFilesAreNamed) {
  EXPECT_NE(error_of_bytes("GIF89a").find("is neither a JPEG nor a PNG"), std::string::npos);
  EXPECT_NE(error_of_bytes("").find("is empty"), std::string::npos);
  EXPECT_NE(error_of("/nowhere/x.jpg").find("/nowhere/x.jpg: No such file"), std::string::npos);
  EXPECT_NE(error_of(test::source_file("photos")).find("is a folder"), std::string::npos);
}

TEST(Jpeg, AHeaderThatAsksForGigabytesIsRefused) {
  std::string huge = test::read_whole(test::source_file(kPhoto));
  const std::size_t frame = huge.find("\xff\xc0");
  ASSERT_NE(frame, std::string::npos);
  huge.replace(frame + 5, 4, "\xff\xdc\xff\xdc");
  EXPECT_NE(error_of_bytes(huge).find("65500 x 65500 pixels"), std::string::npos);
}

TEST(Jpeg, EncodedPicturesComeBackNearly) {
  Image image{32, 16, std::vector<std::uint8_t>(32 * 16 * 3, 90)};
  const std::vector<std::uint8_t> bytes = JpegEncoder().encode(image, 90);
  const test::TemporaryFolder folder;
  test::write_whole(folder / "x.jpg", std::string(bytes.begin(), bytes.end()));
  Image back;
  ImageDecoder().decode(folder / "x.jpg", back);
  ASSERT_EQ(back.pixels.size(), image.pixels.size());
  for (const std::uint8_t value : back.pixels) EXPECT_NEAR(value, 90, 2);
}

}  // namespace
}  // namespace bramble::engine
