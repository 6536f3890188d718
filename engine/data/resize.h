// torchvision's Resize(size) and CenterCrop(size) on PIL images, bit for bit.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/data/image.h"

namespace bramble::engine {

/// The short side becomes `size`, the long one int(size * long / short).
struct ResizedSize {
  std::int64_t width;
  std::int64_t height;
};
ResizedSize resized_size(int width, int height, int size);

/// Pillow's BILINEAR and BICUBIC (a = -1/2), widened where they shrink.
enum class Interpolation { bilinear, bicubic };

/// A part of an image, in pixels.
struct Box {
  int left = 0;
  int top = 0;
  int width = 0;
  int height = 0;
  bool operator==(const Box&) const = default;
};

/// First index of the centred window of `size` in `extent`: Python's round((extent - size) / 2), halves to even.
std::int64_t centre_crop_begin(std::int64_t extent, int size);

/// Antialiased resizing. Keeps its buffers: one a thread.
class Resizer {
 public:
  explicit Resizer(Interpolation interpolation = Interpolation::bilinear) : interpolation_(interpolation) {}

  /// The short side to `short_side`, at least `size`; then the centre size x size, as [size][size][3]. Computes only
  /// what the crop keeps.
  void resize_and_crop(const Image& image, int short_side, int size, std::span<std::uint8_t> rgb);
  void resize_and_crop(const Image& image, int size, std::span<std::uint8_t> rgb) {
    resize_and_crop(image, size, size, rgb);
  }

  /// `box` of the image, which it must lie in, to size x size, as PIL's crop(box).resize((size, size)).
  void crop_and_resize(const Image& image, const Box& box, int size, std::span<std::uint8_t> rgb);

 private:
  // For each output index: the first input index and the fixed-point weights of the inputs from there.
  struct Filter {
    std::vector<std::int64_t> first;
    std::vector<int> count;
    std::vector<std::int32_t> weights;  ///< [outputs][taps]
    int taps = 0;
  };

  void make_filter(int in_extent, std::int64_t out_extent, std::int64_t out_begin, int out_count, Filter& filter);

  /// The two passes over `box` with the filters as they are.
  void filter(const Image& image, const Box& box, int size, std::span<std::uint8_t> rgb);
  void narrow(const Image& image, const Box& box, std::int64_t row_begin, std::int64_t row_end,
              std::size_t out_stride);

  Interpolation interpolation_;
  Filter horizontal_;
  Filter vertical_;
  std::vector<double> row_of_weights_;
  std::vector<std::uint8_t> narrowed_;  ///< after the horizontal pass: [rows the vertical one reads][size][3]
  std::vector<std::int32_t> sums_;      ///< of one row of the vertical pass
};

}  // namespace bramble::engine
