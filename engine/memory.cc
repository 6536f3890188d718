#include "engine/memory.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <limits>
#include <utility>

namespace bramble::engine {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();

/// The number after `key` in a file of lines "key: number kB"; unlimited if it is not there.
std::size_t kilobytes_in(const char* path, const std::string& key) {
  std::ifstream file(path);
  std::string word;
  std::size_t value = 0;
  while (file >> word)
    if (word == key && file >> value) return value * 1024;
  return kUnlimited;
}

std::size_t number_in(const char* path) {
  std::ifstream file(path);
  std::size_t value = 0;
  return file >> value ? value : kUnlimited;  // "max" is no number
}

std::size_t control_group_room() {
  const std::size_t limit = number_in("/sys/fs/cgroup/memory.max");
  const std::size_t used = number_in("/sys/fs/cgroup/memory.current");
  if (limit == kUnlimited || used == kUnlimited) return kUnlimited;
  return limit > used ? limit - used : 0;
}

std::size_t address_space_room() {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kUnlimited;
  const std::size_t used = kilobytes_in("/proc/self/status", "VmSize:");
  return used < limit.rlim_cur ? limit.rlim_cur - used : 0;
}

}  // namespace

OutOfMemory::OutOfMemory(std::size_t needed, std::size_t available)
    : std::runtime_error("the plan needs " + format_bytes(needed) + ", but " + format_bytes(available) +
                         " are available; a smaller batch needs less") {}

Memory::Memory(std::size_t bytes) : mapped_(bytes + kHugePage), size_(bytes) {
  const std::size_t available = available_memory();
  if (mapped_ > available) throw OutOfMemory(bytes, available);
  mapping_ = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping_ == MAP_FAILED) {
    mapping_ = nullptr;
    throw OutOfMemory(bytes, available);
  }
  const auto address = reinterpret_cast<std::uintptr_t>(mapping_);
  data_ = static_cast<std::byte*>(mapping_) + (kHugePage - address % kHugePage) % kHugePage;
  madvise(data_, size_, MADV_HUGEPAGE);  // a wish: without it all works, slower
}

Memory::~Memory() {
  if (mapping_) munmap(mapping_, mapped_);
}

Memory::Memory(Memory&& other) noexcept { *this = std::move(other); }

Memory& Memory::operator=(Memory&& other) noexcept {
  std::swap(mapping_, other.mapping_);
  std::swap(mapped_, other.mapped_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

std::size_t available_memory() {
  return std::min({kilobytes_in("/proc/meminfo", "MemAvailable:"), control_group_room(), address_space_room()});
}

std::string format_bytes(std::size_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text.data();
}

}  // namespace bramble::engine
