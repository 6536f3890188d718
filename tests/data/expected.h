// expected.txt: what Pillow made of the same images. See make_expected.py.
#pragma once

#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "engine/data/image.h"
#include "tests/support/files.h"

namespace bramble::test {

/// The lines of one kind, split into words.
inline std::vector<std::vector<std::string>> expected_lines(const std::string& kind,
                                                            const std::string& name = "data/expected.txt") {
  std::ifstream file(source_file(name));
  std::vector<std::vector<std::string>> lines;
  for (std::string line; std::getline(file, line);) {
    std::istringstream stream(line);
    std::vector<std::string> words;
    for (std::string word; stream >> word;) words.push_back(word);
    if (words.at(0) == kind) lines.push_back(words);
  }
  return lines;
}

inline std::vector<std::uint8_t> from_hex(const std::string& hex) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

/// make_expected.py's pattern().
inline engine::Image pattern(int width, int height) {
  engine::Image image{width, height, {}};
  image.pixels.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3);
  for (std::uint64_t i = 0; i < image.pixels.size(); ++i) {
    image.pixels[i] = static_cast<std::uint8_t>((i * 2654435761ULL) >> 13);
  }
  return image;
}

}  // namespace bramble::test
