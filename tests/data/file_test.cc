#include "engine/data/file.h"

#include <gtest/gtest.h>

#include <iterator>

#include "tests/support/files.h"

namespace bramble::engine {
namespace {

namespace fs = std::filesystem;

std::size_t entries(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(File, WritingReplacesAndLeavesNothingElse) {
  const test::TemporaryFolder folder;
  write_atomically(folder / "a", "one");
  write_atomically(folder / "a", "two");
  EXPECT_EQ(read_text(folder / "a"), "two");
  EXPECT_EQ(entries(folder.path()), 1U);
}

TEST(File, WritingThroughALinkKeepsTheLink) {
  const test::TemporaryFolder folder;
  write_atomically(folder / "a", "one");
  fs::create_symlink(folder / "a", folder / "link");
  write_atomically(folder / "link", "two");
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(read_text(folder / "a"), "two");
}

TEST(File, CheckingLeavesEverythingAsItIs) {
  const test::TemporaryFolder folder;
  check_writable(folder / "a");
  EXPECT_EQ(entries(folder.path()), 0U);
  write_atomically(folder / "a", "one");
  check_writable(folder / "a");
  EXPECT_EQ(read_text(folder / "a"), "one");
}

TEST(File, PlacesThatCannotBeWrittenAreNamed) {
  const test::TemporaryFolder folder;
  EXPECT_THROW(check_writable(folder.path() / "missing" / "a"), FileError);
  EXPECT_THROW(check_writable(folder.path()), FileError);
  EXPECT_THROW(check_writable("/dev/null"), FileError);
  EXPECT_THROW(write_atomically("/dev/full", "text"), FileError);
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST(File, MissingFilesAreNamed) {
  try {
    read_text("/nowhere/a");
    FAIL();
  } catch (const FileError& error) {
    EXPECT_STREQ(error.what(), "/nowhere/a: No such file or directory");
  }
}

}  // namespace
}  // namespace bramble::engine
