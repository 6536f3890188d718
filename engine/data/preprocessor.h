// The whole way from a decoded picture to a model's input, the same for training, evaluation and prediction.
#pragma once

#include <span>
#include <vector>

#include "engine/data/augment.h"
#include "engine/data/normalise.h"

namespace bramble::engine {

/// Keeps its buffers: one a thread.
class Preprocessor {
 public:
  Preprocessor(int size, const Preprocessing& preprocessing, const AugmentOptions& augment = {});
  /// `values` is [size][size][3]. Without augmentation `random` is not looked at.
  void apply(const Image& image, DataRandom random, std::span<float> values);

 private:
  int size_;
  double erase_;
  Augmenter augmenter_;
  Normaliser normaliser_;
  std::vector<std::uint8_t> rgb_;
};

}  // namespace bramble::engine
