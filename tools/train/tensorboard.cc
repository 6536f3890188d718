#include "tools/train/tensorboard.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "engine/data/file.h"

namespace bramble::train {
namespace {

// Field numbers of event.proto and summary.proto.
constexpr int kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7;
constexpr int kSummaryValue = 1, kTag = 1, kSimpleValue = 2;
constexpr int kSessionStatus = 1, kSessionStart = 1;

// Protocol Buffers' wire types.
enum class Wire : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

void put_key(std::string& out, int field, Wire wire) {
  put_varint(out, static_cast<std::uint64_t>(field) << 3 | static_cast<std::uint64_t>(wire));
}

template <class Integer>
void put_little_endian(std::string& out, Integer value) {
  for (std::size_t i = 0; i < sizeof value; ++i) out += static_cast<char>(value >> (8 * i));
}

void put_integer(std::string& out, int field, std::int64_t value) {
  put_key(out, field, Wire::varint);
  put_varint(out, static_cast<std::uint64_t>(value));
}

void put_bytes(std::string& out, int field, std::string_view bytes) {
  put_key(out, field, Wire::bytes);
  put_varint(out, bytes.size());
  out += bytes;
}

/// An event with its time.
std::string new_event() {
  std::string event;
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  put_key(event, kWallTime, Wire::fixed64);
  put_little_endian(event, std::bit_cast<std::uint64_t>(now.count()));
  return event;
}

/// TensorBoard looks for "tfevents" and sorts by the time after it.
std::string file_name() {
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  return fmt::format("events.out.tfevents.{:010}.bramble.{}", seconds, getpid());
}

}  // namespace

std::uint32_t masked_crc32c(std::string_view bytes) {
  static const std::array<std::uint32_t, 256> table = [] {
    std::array<std::uint32_t, 256> made{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ ((value & 1U) != 0 ? 0x82f63b78U : 0U);
      made[i] = value;
    }
    return made;
  }();
  std::uint32_t crc = ~0U;
  for (const char c : bytes) crc = crc >> 8 ^ table[(crc ^ static_cast<unsigned char>(c)) & 0xffU];
  return std::rotr(~crc, 15) + 0xa282ead8U;
}

TensorBoardLog::TensorBoardLog(const std::filesystem::path& folder, std::int64_t first_step)
    : path_(folder / file_name()), file_(std::fopen(path_.c_str(), "wbxe")) {
  if (file_ == nullptr) throw engine::FileError(path_, std::strerror(errno));
  std::string version = new_event();
  put_bytes(version, kFileVersion, "brain.Event:2");
  write(version);
  std::string status;
  put_integer(status, kSessionStatus, kSessionStart);
  std::string start = new_event();
  put_integer(start, kStep, first_step + 1);
  put_bytes(start, kSessionLog, status);
  write(start);
}

TensorBoardLog::~TensorBoardLog() {
  if (file_ != nullptr) std::fclose(file_);
}

void TensorBoardLog::add(std::int64_t step, const Scalars& scalars) {
  std::string summary;
  for (const auto& [tag, value] : scalars) {
    std::string scalar;
    put_bytes(scalar, kTag, tag);
    put_key(scalar, kSimpleValue, Wire::fixed32);
    put_little_endian(scalar, std::bit_cast<std::uint32_t>(static_cast<float>(value)));
    put_bytes(summary, kSummaryValue, scalar);
  }
  std::string event = new_event();
  put_integer(event, kStep, step);
  put_bytes(event, kSummary, summary);
  write(event);
}

void TensorBoardLog::write(const std::string& event) {
  std::string record;
  put_little_endian(record, static_cast<std::uint64_t>(event.size()));
  put_little_endian(record, masked_crc32c(record));
  record += event;
  put_little_endian(record, masked_crc32c(event));
  if (std::fwrite(record.data(), 1, record.size(), file_) != record.size() || std::fflush(file_) != 0)
    throw engine::FileError(path_, std::string("cannot be written: ") + std::strerror(errno));
}

}  // namespace bramble::train
