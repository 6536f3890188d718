#include "engine/checkpoint/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>

#include "engine/checkpoint/safetensors_writer.h"
#include "engine/data/file.h"
#include "tests/support/files.h"

namespace bramble::engine {
namespace {

std::string file_of(std::string_view header, std::size_t data_bytes) {
  const std::uint64_t length = header.size();
  std::string file(sizeof length, '\0');
  std::memcpy(file.data(), &length, sizeof length);
  return file.append(header).append(data_bytes, 'x');
}

std::string error_of(std::string_view contents) {
  const test::TemporaryFolder folder;
  const std::filesystem::path path = folder / "x.safetensors";
  test::write_whole(path, contents);
  try {
    const SafetensorsFile file(path);
  } catch (const FileError& error) {
    const std::string message = error.what();
    const std::string beginning = path.string() + ": not a safetensors file: ";
    EXPECT_TRUE(message.starts_with(beginning)) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos);
    return message.substr(std::min(message.size(), beginning.size()));
  }
  return "";
}

/// `header` before `data_bytes` of data is refused, and the message says why.
void expect_refused(std::string_view header, std::size_t data_bytes, const std::string& why) {
  const std::string error = error_of(file_of(header, data_bytes));
  EXPECT_NE(error, "") << header << " was taken";
  EXPECT_NE(error.find(why), std::string::npos) << header << ": \"" << error << "\" should say \"" << why << '"';
}

std::string one_tensor(std::string_view dtype, std::string_view shape, std::string_view offsets) {
  return std::string(R"({"a":{"dtype":)").append(dtype).append(R"(,"shape":)").append(shape).append(
      R"(,"data_offsets":)").append(offsets).append("}}");
}

TEST(Safetensors, ReadsWhatTheFormatSays) {
  const test::TemporaryFolder folder;
  const float values[] = {1.5F, -2.0F};
  std::string contents = file_of(
      R"({"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2,1],"data_offsets":[3,11]},)"
      R"("a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"e":{"dtype":"F32","shape":[0,7],"data_offsets":[3,3]}})", 3);
  contents.append(reinterpret_cast<const char*>(values), sizeof values);
  test::write_whole(folder / "x", contents);
  const SafetensorsFile file(folder / "x");
  ASSERT_EQ(file.tensors().size(), 3U);
  EXPECT_EQ(file.metadata().at("format"), "pt");
  ASSERT_NE(file.find("b"), nullptr);
  EXPECT_EQ(file.find("b")->shape, (std::vector<std::int64_t>{2, 1}));
  EXPECT_EQ(file.floats(*file.find("b")), (std::vector<float>{1.5F, -2.0F}));
  EXPECT_EQ(file.find("e")->elements(), 0);
  EXPECT_EQ(file.find("c"), nullptr);
  EXPECT_THROW(file.floats(*file.find("a")), FileError);
}

TEST(Safetensors, ReadsBackWhatItWrote) {
  const test::TemporaryFolder folder;
  const std::vector<float> values = {0, -0.0F, 1e-40F, 3.4e38F, 0.1F, 7};
  const std::vector<TensorToWrite> tensors = {
      float_tensor("layer.weight", {2, 3}, [&] { return values; }),
      integer_tensor("num_batches_tracked", {}, {std::int64_t{1} << 40}),
      float_tensor("empty", {0}, [] { return std::vector<float>{}; }),
  };
  write_safetensors(folder / "x", tensors, {{"format", "pt"}, {"quote", "\"\n"}});
  const SafetensorsFile file(folder / "x");
  EXPECT_EQ(std::memcmp(file.floats(*file.find("layer.weight")).data(), values.data(), 24), 0);
  EXPECT_EQ(file.integers(*file.find("num_batches_tracked")), (std::vector<std::int64_t>{std::int64_t{1} << 40}));
  EXPECT_TRUE(file.find("num_batches_tracked")->shape.empty());
  EXPECT_EQ(file.metadata().at("quote"), "\"\n");
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(file.tensors()[0].bytes.data()) % 64, 0U);
}

TEST(Safetensors, OtherFloatingPointTypesAreWidened) {
  const test::TemporaryFolder folder;
  const std::uint16_t half[] = {0x3c00, 0xc000, 0x0001, 0x7bff, 0x3555};    // 1, -2, 2^-24, 65504, 0.33325195
  const std::uint16_t bfloat[] = {0x3f80, 0xc000, 0x3eab};                  // 1, -2, 0.33398438
  const double wide[] = {0.1, -1e300};
  std::string contents = file_of(
      R"({"h":{"dtype":"F16","shape":[5],"data_offsets":[0,10]},"b":{"dtype":"BF16","shape":[3],"data_offsets":[10,16]},)"
      R"("d":{"dtype":"F64","shape":[2],"data_offsets":[16,32]}})", 0);
  contents.append(reinterpret_cast<const char*>(half), 10).append(reinterpret_cast<const char*>(bfloat), 6);
  contents.append(reinterpret_cast<const char*>(wide), 16);
  test::write_whole(folder / "x", contents);
  const SafetensorsFile file(folder / "x");
  EXPECT_EQ(file.floats(*file.find("h")), (std::vector<float>{1, -2, 0x1p-24F, 65504, 0.333251953125F}));
  EXPECT_EQ(file.floats(*file.find("b")), (std::vector<float>{1, -2, 0.333984375F}));
  EXPECT_EQ(file.floats(*file.find("d"))[0], 0.1F);
}

TEST(Safetensors, AFileWithoutAWholeHeaderIsRefused) {
  EXPECT_NE(error_of("").find("empty"), std::string::npos);
  EXPECT_NE(error_of("1234567").find("only 7 bytes"), std::string::npos);
  EXPECT_NE(error_of(std::string("\x10\0\0\0\0\0\0\0{}", 10)).find("does not fit"), std::string::npos);
  EXPECT_NE(error_of(std::string(16, '\xff')).find("more than the format allows"), std::string::npos);
  EXPECT_NE(error_of(std::string(8, '\0')).find("no JSON object"), std::string::npos);
}

TEST(Safetensors, EveryDamagedFieldIsRefused) {
  ASSERT_EQ(error_of(file_of(one_tensor(R"("F32")", "[2]", "[0,8]"), 8)), "");
  expect_refused("[]", 0, "no JSON object");
  expect_refused("{\"a\":", 0, "no valid JSON");
  expect_refused(R"({"a":7})", 0, "no JSON object");
  expect_refused(one_tensor("7", "[2]", "[0,8]"), 8, "dtype");
  expect_refused(one_tensor(R"("F33")", "[2]", "[0,8]"), 8, "unknown");
  expect_refused(one_tensor(R"("F32")", "2", "[0,8]"), 8, "shape");
  expect_refused(one_tensor(R"("F32")", "[-2]", "[0,8]"), 8, "whole number");
  expect_refused(one_tensor(R"("F32")", "[2.0]", "[0,8]"), 8, "whole number");
  expect_refused(one_tensor(R"("F32")", "[3]", "[0,8]"), 8, "bytes");
  expect_refused(one_tensor(R"("F32")", "[18446744073709551615]", "[0,8]"), 8, "too large");
  expect_refused(one_tensor(R"("F32")", "[4294967296,4294967296,2]", "[0,8]"), 8, "too large");
  expect_refused(one_tensor(R"("F32")", "[2]", "8"), 8, "two numbers");
  expect_refused(one_tensor(R"("F32")", "[2]", "[0]"), 8, "two numbers");
  expect_refused(one_tensor(R"("F32")", "[2]", "[-8,0]"), 8, "whole number");
  expect_refused(one_tensor(R"("F32")", "[2]", "[8,0]"), 8, "reaches");
  expect_refused(one_tensor(R"("F32")", "[2]", "[8,16]"), 8, "reaches");
  expect_refused(one_tensor(R"("F32")", "[2]", "[0,8]"), 7, "reaches");
  expect_refused(one_tensor(R"("F32")", "[2]", "[0,8]"), 9, "belong to no tensor");
  expect_refused(one_tensor(R"("F32")", "[1]", "[4,8]"), 8, "does not begin");
  expect_refused(R"({"a":{"shape":[1],"data_offsets":[0,4]}})", 4, "no dtype");
  expect_refused(R"({"a":{"dtype":"F32","data_offsets":[0,4],"more":1}})", 4, "no shape");
  expect_refused(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1}})", 4, "besides");
  expect_refused(R"({"__metadata__":7})", 0, "__metadata__");
  expect_refused(R"({"__metadata__":{"a":7}})", 0, "no text");
}

TEST(Safetensors, TensorsMayNeitherOverlapNorBeThereTwice) {
  expect_refused(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})",
                 6, "does not begin");
  expect_refused(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})",
                 4, "twice");
}

TEST(Safetensors, NoTruncationAndNoFlippedHeaderByteCrashes) {
  const std::string whole = file_of(one_tensor(R"("F32")", "[2,1]", "[0,8]"), 8);
  for (std::size_t kept = 0; kept < whole.size(); ++kept) EXPECT_NE(error_of(whole.substr(0, kept)), "") << kept;
  for (std::size_t i = 0; i < whole.size() - 8; ++i) {
    for (const int bit : {0, 2, 5, 7}) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      error_of(damaged);  // some are still a file; none may read outside it
    }
  }
}

TEST(Safetensors, AFailedWriteLeavesTheOldFile) {
  const test::TemporaryFolder folder;
  write_safetensors(folder / "x", {float_tensor("a", {1}, [] { return std::vector<float>{1}; })}, {});
  const std::string before = test::read_whole(folder / "x");
  EXPECT_THROW(write_safetensors(folder / "x", {float_tensor("a", {1}, []() -> std::vector<float> {
                                   throw std::runtime_error("stopped");
                                 })}, {}), std::runtime_error);
  EXPECT_EQ(test::read_whole(folder / "x"), before);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

}  // namespace
}  // namespace bramble::engine
