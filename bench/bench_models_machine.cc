#include "bench/bench_models_machine.h"

#include <cpuinfo.h>
#include <malloc.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace bramble::bench {
namespace {

constexpr double kPi5FlopsPerCore = 2.4e9 * 2 * 4 * 2;  // cycles/s, FMA pipes, lanes, a multiply and an add
constexpr int kPi5Cores = 4;

std::string device_tree_model() {
  std::ifstream file("/proc/device-tree/model", std::ios::binary);
  std::string name{std::istreambuf_iterator<char>(file), {}};
  return name.substr(0, name.find('\0'));
}

// "key : value" of a file under /proc.
std::string proc_value(const char* path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || line.compare(0, key.size(), key) != 0) continue;
    const std::size_t value = line.find_first_not_of(" \t", colon + 1);
    return value == std::string::npos ? "" : line.substr(value);
  }
  return "";
}

}  // namespace

std::string machine_name() {
  if (std::string name = device_tree_model(); !name.empty()) return name;
  if (std::string name = proc_value("/proc/cpuinfo", "model name"); !name.empty()) return name;
  if (cpuinfo_initialize() && cpuinfo_get_packages_count() > 0 && cpuinfo_get_package(0)->name[0] != '\0') {
    return cpuinfo_get_package(0)->name;
  }
  return "unknown CPU";
}

Board board_of(const std::string& machine_name) {
  const auto begins = [&](const char* name) { return machine_name.rfind(name, 0) == 0; };
  if (begins("Raspberry Pi 5") || begins("Raspberry Pi Compute Module 5")) return Board::raspberry_pi_5;
  if (begins("Raspberry Pi 4") || begins("Raspberry Pi Compute Module 4")) return Board::raspberry_pi_4;
  return Board::other;
}

std::optional<double> fp32_limit(Board board, int threads) {
  if (board != Board::raspberry_pi_5) return std::nullopt;
  return kPi5FlopsPerCore * std::min(threads, kPi5Cores);
}

void reset_process_peak() {
  malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << "5";
}

std::size_t process_peak_bytes() {
  const std::string kibibytes = proc_value("/proc/self/status", "VmHWM");
  return kibibytes.empty() ? 0 : std::stoull(kibibytes) * 1024;
}

}  // namespace bramble::bench
