// Changes of a picture's colours, each bit for bit what Pillow makes of it (ImageOps, ImageEnhance) where its name says
// so.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace bramble::engine {

/// Pixels that are changed in place: [height][width][3].
struct Pixels {
  int width;
  int height;
  std::span<std::uint8_t> rgb;
};

void autocontrast(Pixels pixels);  ///< each channel's values stretched to 0..255
void equalise(Pixels pixels);      ///< each channel's histogram made even
void invert(Pixels pixels);
void posterise(Pixels pixels, int bits);         ///< keeps the upper `bits`, 0 to 8
void solarise(Pixels pixels, int threshold);     ///< inverts what is not below
void solarise_add(Pixels pixels, int add);       ///< timm's: adds to what is below 128, at most to 255

/// 0: the picture without it, 1: as it is, above: more of it.
void adjust_brightness(Pixels pixels, double factor);
void adjust_contrast(Pixels pixels, double factor);
void adjust_saturation(Pixels pixels, double factor);
void adjust_sharpness(Pixels pixels, double factor, std::vector<std::uint8_t>& scratch);

/// torchvision's adjust_hue on Pillow's HSV: a turn of the colour circle by `turn`, in [-0.5, 0.5].
void adjust_hue(Pixels pixels, double turn);

}  // namespace bramble::engine
