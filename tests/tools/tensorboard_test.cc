// TensorBoard's event files, read back by a reader that shares nothing with the writer.
#include "tools/train/tensorboard.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include "engine/data/file.h"
#include "tests/support/files.h"

namespace bramble::train {
namespace {

namespace fs = std::filesystem;

/// RFC 3720, appendix B.4, then TFRecord's mask.
TEST(MaskedCrc32c, IsTheStandards) {
  const auto masked = [](std::uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8U; };
  EXPECT_EQ(masked_crc32c(std::string(32, '\0')), masked(0x8a9136aaU));
  EXPECT_EQ(masked_crc32c(std::string(32, '\xff')), masked(0x62a8ab43U));
  EXPECT_EQ(masked_crc32c("123456789"), masked(0xe3069283U));
}

template <class Value>
Value take(const std::string& bytes, std::size_t& at) {
  Value value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  at += sizeof value;
  return value;
}

std::vector<std::string> records_of(const fs::path& path) {
  const std::string file = test::read_whole(path);
  std::vector<std::string> records;
  for (std::size_t at = 0; at < file.size();) {
    const std::size_t begin = at;
    const auto length = take<std::uint64_t>(file, at);
    EXPECT_EQ(take<std::uint32_t>(file, at), masked_crc32c(std::string_view(file).substr(begin, 8)));
    records.push_back(file.substr(at, length));
    at += length;
    EXPECT_EQ(take<std::uint32_t>(file, at), masked_crc32c(records.back()));
  }
  return records;
}

/// A message's fields by number; a repeated one several times.
using Fields = std::multimap<std::uint64_t, std::string>;

Fields fields_of(const std::string& message) {
  std::size_t at = 0;
  const auto varint = [&] {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(message.at(at++));
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  Fields fields;
  while (at < message.size()) {
    const std::uint64_t key = varint();
    const std::size_t begin = at;
    std::size_t length = 0;
    switch (key & 7) {
      case 0: fields.emplace(key >> 3, std::to_string(varint())); continue;
      case 1: length = 8; break;
      case 2: length = varint(); break;
      case 5: length = 4; break;
      default: ADD_FAILURE() << "wire type " << (key & 7) << " at " << begin; return fields;
    }
    fields.emplace(key >> 3, message.substr(at, length));
    at += length;
  }
  return fields;
}

fs::path only_file(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  EXPECT_EQ(files.size(), 1U);
  EXPECT_NE(files.at(0).filename().string().find("tfevents"), std::string::npos)
      << "or TensorBoard would not look at it";
  return files.at(0);
}

TEST(TensorBoardLog, ScalarsComeBack) {
  const test::TemporaryFolder folder;
  TensorBoardLog log(folder.path(), 41);
  log.add(42, {{"train/loss", 1.5}, {"lr", 0.001}});
  log.add(300, {{"train/loss", 0.25}});
  const auto records = records_of(only_file(folder.path()));  // while it is still open: every event has been flushed
  ASSERT_EQ(records.size(), 4U);
  EXPECT_EQ(fields_of(records[0]).find(3)->second, "brain.Event:2");
  const Fields start = fields_of(records[1]);
  EXPECT_EQ(start.find(2)->second, "42") << "what an earlier session wrote from here on comes again";
  EXPECT_EQ(fields_of(start.find(7)->second).find(1)->second, "1");
  std::map<std::string, float> scalars;
  const Fields event = fields_of(records[2]);
  EXPECT_EQ(event.find(2)->second, "42");
  const std::string summary = event.find(5)->second;
  const Fields of_summary = fields_of(summary);
  for (const auto& [number, value] : of_summary) {
    EXPECT_EQ(number, 1U);
    const Fields scalar = fields_of(value);
    std::size_t at = 0;
    scalars[scalar.find(1)->second] = take<float>(scalar.find(2)->second, at);
  }
  EXPECT_EQ(scalars, (std::map<std::string, float>{{"train/loss", 1.5F}, {"lr", 0.001F}}));
  EXPECT_EQ(fields_of(records[3]).find(2)->second, "300");
  std::size_t at = 0;
  const std::string when = fields_of(records[3]).find(1)->second;
  EXPECT_GT(take<double>(when, at), 1.7e9) << "seconds since 1970";
}

TEST(TensorBoardLog, AFolderThatIsNotThereIsNamed) {
  EXPECT_THROW(TensorBoardLog("/nowhere", 0), engine::FileError);
}

}  // namespace
}  // namespace bramble::train
