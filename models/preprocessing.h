// How each model's pretrained parameters expect their pictures, as timm's default_cfg says.
#pragma once

#include <array>
#include <string_view>

namespace bramble::models {

struct Preprocessing {
  std::array<double, 3> mean;       ///< of red, green, blue in [0, 1]
  std::array<double, 3> deviation;  ///< likewise
  double crop_pct;                  ///< in evaluation the short side becomes floor(size / crop_pct), of which the centre is taken
  std::string_view interpolation;   ///< "bicubic" or "bilinear"
};

/// Throws UnknownModel. FasterViT, which timm 0.9 lacks, as its authors' package has it.
Preprocessing preprocessing_of(std::string_view model);

}  // namespace bramble::models
