// Small CIFAR and MNIST files, as the real ones are laid out.
#pragma once

#include <string>

#include "tests/support/files.h"

namespace bramble::test {

/// The byte of a picture's channel at a place; every picture differs.
inline char raw_byte(std::size_t image, std::size_t channel, std::size_t pixel) {
  return static_cast<char>((image * 31 + channel * 101 + pixel * 7 + pixel / 32) % 256);
}

/// `count` records with `label_bytes` labels before the planes; the last one is (first + i) mod classes.
inline std::string cifar_records(std::size_t count, std::size_t label_bytes, std::size_t classes,
                                 std::size_t first = 0) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    if (label_bytes == 2) text += '\x13';
    text += static_cast<char>((first + i) % classes);
    for (std::size_t channel = 0; channel < 3; ++channel)
      for (std::size_t pixel = 0; pixel < 1024; ++pixel) text += raw_byte(first + i, channel, pixel);
  }
  return text;
}

inline void write_cifar10(const std::filesystem::path& folder, std::size_t per_batch) {
  for (std::size_t batch = 0; batch < 5; ++batch)
    write_whole(folder / ("data_batch_" + std::to_string(batch + 1) + ".bin"),
                cifar_records(per_batch, 1, 10, batch * per_batch));
  write_whole(folder / "test_batch.bin", cifar_records(per_batch, 1, 10, 5 * per_batch));
}

inline std::string big_endian(std::uint32_t number) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(number >> shift & 0xff);
  return text;
}

inline std::string idx_images(std::uint32_t count, std::uint32_t height, std::uint32_t width) {
  std::string text = big_endian(0x803) + big_endian(count) + big_endian(height) + big_endian(width);
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t pixel = 0; pixel < std::size_t{height} * width; ++pixel) text += raw_byte(i, 0, pixel);
  return text;
}

inline std::string idx_labels(std::uint32_t count, std::uint32_t classes) {
  std::string text = big_endian(0x801) + big_endian(count);
  for (std::uint32_t i = 0; i < count; ++i) text += static_cast<char>(i % classes);
  return text;
}

inline void write_mnist(const std::filesystem::path& folder, std::uint32_t train, std::uint32_t test) {
  write_whole(folder / "train-images-idx3-ubyte", idx_images(train, 28, 28));
  write_whole(folder / "train-labels-idx1-ubyte", idx_labels(train, 10));
  write_whole(folder / "t10k-images-idx3-ubyte", idx_images(test, 28, 28));
  write_whole(folder / "t10k-labels-idx1-ubyte", idx_labels(test, 10));
}

}  // namespace bramble::test
