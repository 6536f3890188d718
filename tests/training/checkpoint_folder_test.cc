#include "engine/training/checkpoint_folder.h"

#include <gtest/gtest.h>

#include "engine/data/file.h"
#include "tests/support/files.h"

namespace bramble::engine {
namespace {

Checkpoint save(const std::filesystem::path& root, std::int64_t step) {
  return save_checkpoint(root, step, [&](const Checkpoint& one) {
    test::write_whole(one.model(), "model " + std::to_string(step));
    test::write_whole(one.trainer(), "trainer " + std::to_string(step));
  });
}

TEST(CheckpointFolder, KeepsTheNewest) {
  const test::TemporaryFolder folder;
  EXPECT_FALSE(newest_checkpoint(folder / "none"));
  for (const std::int64_t step : {9, 10, 100000000, 200000000}) {
    const Checkpoint saved = save(folder.path(), step);
    const auto newest = newest_checkpoint(folder.path());
    ASSERT_TRUE(newest);
    EXPECT_EQ(newest->step, step);
    EXPECT_EQ(newest->path, saved.path);
    EXPECT_EQ(test::read_whole(newest->trainer()), "trainer " + std::to_string(step));
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
  }
}

TEST(CheckpointFolder, AFailedOneLeavesTheLast) {
  const test::TemporaryFolder folder;
  save(folder.path(), 1);
  EXPECT_THROW(save_checkpoint(folder.path(), 2,
                               [](const Checkpoint& one) {
                                 test::write_whole(one.model(), "half");
                                 throw std::runtime_error("no space");
                               }),
               std::runtime_error);
  EXPECT_EQ(newest_checkpoint(folder.path())->step, 1);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1) << "a full disk needs the room";
  std::filesystem::create_directory(folder / ".unfinished");  // as a power cut leaves it
  save(folder.path(), 3);
  EXPECT_EQ(newest_checkpoint(folder.path())->step, 3);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1) << "leftovers are removed";
}

TEST(CheckpointFolder, OneOfTheSameStepIsReplaced) {
  const test::TemporaryFolder folder;
  save(folder.path(), 7);
  save_checkpoint(folder.path(), 7, [&](const Checkpoint& one) {
    EXPECT_EQ(test::read_whole(newest_checkpoint(folder.path())->model()), "model 7") << "until the new one is whole";
    test::write_whole(one.model(), "another");
  });
  EXPECT_EQ(test::read_whole(newest_checkpoint(folder.path())->model()), "another");
  EXPECT_FALSE(std::filesystem::exists(newest_checkpoint(folder.path())->trainer()));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(CheckpointFolder, ForeignNamesAreNotSeen) {
  const test::TemporaryFolder folder;
  for (const char* name : {"step-", "step-12x", "step--", "model", ".unfinished"})
    std::filesystem::create_directory(folder / name);
  EXPECT_FALSE(newest_checkpoint(folder.path()));
}

TEST(CheckpointFolder, AFolderThatCannotBeMadeIsNamed) {
  EXPECT_THROW(save("/dev/null/x", 1), FileError);
}

}  // namespace
}  // namespace bramble::engine
