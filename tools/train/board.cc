#include "tools/train/board.h"

#include <fmt/format.h>

#include <fstream>

namespace bramble::train {
namespace {

namespace fs = std::filesystem;

bool is_raspberry_pi(const fs::path& root) {
  std::ifstream file(root / "proc/device-tree/model");
  std::string model;
  std::getline(file, model);
  return model.starts_with("Raspberry Pi");
}

/// The firmware's driver lies below the chip's node, which older kernels call "soc" and newer ones "soc@107c000000".
fs::path find_throttled(const fs::path& root) {
  std::error_code error;
  for (const fs::directory_entry& chip : fs::directory_iterator(root / "sys/devices/platform", error)) {
    if (!chip.path().filename().string().starts_with("soc")) continue;
    std::error_code inner;
    for (const fs::directory_entry& device : fs::directory_iterator(chip.path(), inner))
      if (device.path().filename().string().ends_with(":firmware") &&
          fs::exists(device.path() / "get_throttled", inner))
        return device.path() / "get_throttled";
  }
  return {};
}

}  // namespace

Board::Board(const fs::path& root) {
  if (!is_raspberry_pi(root)) return;
  temperature_ = root / "sys/class/thermal/thermal_zone0/temp";
  throttled_ = find_throttled(root);
}

std::string Board::status() const {
  std::string text;
  int thousandths = 0;
  if (std::ifstream file(temperature_); !temperature_.empty() && file >> thousandths)
    text += fmt::format(" {} C", thousandths / 1000);
  unsigned flags = 0;
  if (std::ifstream file(throttled_); !throttled_.empty() && file >> std::hex >> flags) {
    constexpr const char* kNames[] = {" UNDERVOLTAGE", " CAPPED", " THROTTLED", " HOT"};  // by bit
    for (unsigned bit = 0; bit < 4; ++bit)
      if ((flags >> bit & 1U) != 0) text += kNames[bit];
  }
  return text;
}

}  // namespace bramble::train
