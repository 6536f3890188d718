// How a Raspberry Pi fares: its temperature, and whether it is slowed down.
#pragma once

#include <filesystem>
#include <string>

namespace bramble::train {

class Board {
 public:
  /// Looks for the kernel's files below `root`.
  explicit Board(const std::filesystem::path& root = "/");

  /// " 61 C THROTTLED"; empty on anything but a Raspberry Pi. Also UNDERVOLTAGE (a weak supply), CAPPED (the clock is
  /// held down) and HOT (the soft limit of the temperature).
  std::string status() const;

 private:
  std::filesystem::path temperature_, throttled_;  ///< empty where there is none
};

}  // namespace bramble::train
