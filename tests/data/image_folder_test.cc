#include "engine/data/image_folder.h"

#include <gtest/gtest.h>

#include "engine/data/file.h"
#include "tests/support/files.h"

namespace bramble::engine {
namespace {

std::string error_of(const std::filesystem::path& root, std::int64_t max_classes = 1000) {
  try {
    read_image_folder(root, max_classes);
  } catch (const FileError& error) {
    return error.what();
  }
  return "";
}

TEST(ImageFolder, ClassesAndImagesAreSorted) {
  const ImageFolder folder = read_image_folder(test::source_file("photos"), 1000);
  EXPECT_EQ(folder.classes, (std::vector<std::string>{"bird", "dog", "insect", "reptile"}));
  ASSERT_EQ(folder.samples.size(), 13U);
  EXPECT_EQ(folder.samples[0].path.filename(), "n01860187_black_swan.jpg");
  EXPECT_EQ(folder.samples[0].label, 0);
  EXPECT_EQ(folder.samples[2].path.filename(), "n02089973_English_foxhound.jpg");
  EXPECT_EQ(folder.samples[2].label, 1);
  EXPECT_EQ(folder.samples.back().label, 3);
}

TEST(ImageFolder, ExtensionsInAnyCaseAndNothingElse) {
  const test::TemporaryFolder root;
  for (const char* name : {"b.JPG", "a.jpg", "c.jpeg", "d.JPEG", "e.png", "f.PNG", "g", ".h.jpg", "jpg", "i.gif"}) {
    test::write_whole(root.path() / "class" / name, "");
  }
  test::write_whole(root / "README.jpg", "");
  test::write_whole(root.path() / ".hidden" / "a.png", "");
  const ImageFolder folder = read_image_folder(root.path(), 1);
  ASSERT_EQ(folder.samples.size(), 6U);
  EXPECT_EQ(folder.samples[0].path.filename(), "a.jpg");
  EXPECT_EQ(folder.samples[1].path.filename(), "b.JPG");
}

TEST(ImageFolder, MissingAndEmptyFoldersAreNamed) {
  EXPECT_EQ(error_of("/nowhere"), "/nowhere: no such folder");
  EXPECT_NE(error_of(test::source_file("data/cmyk.jpg")).find("cmyk.jpg: is not a folder"), std::string::npos);
  const test::TemporaryFolder root;
  EXPECT_NE(error_of(root.path()).find("no class folder"), std::string::npos);
}

TEST(ImageFolder, AClassWithoutImagesIsNamed) {
  const test::TemporaryFolder root;
  test::write_whole(root.path() / "a" / "x.jpg", "");
  test::write_whole(root.path() / "b" / "x.gif", "");
  EXPECT_NE(error_of(root.path()).find("/b: class folder without an image (.jpg, .jpeg, .png)"), std::string::npos);
}

TEST(ImageFolder, TheFolderAboveTheRightOneGivesAHint) {
  const test::TemporaryFolder root;
  test::write_whole(root.path() / "train" / "a" / "x.jpg", "");
  EXPECT_NE(error_of(root.path()).find("/train the folder of classes?"), std::string::npos);
}

TEST(ImageFolder, MoreClassesThanAllowedIsAnError) {
  EXPECT_NE(error_of(test::source_file("photos"), 3).find("4 classes, but --classes allows 3"), std::string::npos);
  EXPECT_EQ(error_of(test::source_file("photos"), 4), "");
}

}  // namespace
}  // namespace bramble::engine
