#include "engine/data/preprocessor.h"

#include "engine/data/erase.h"

namespace bramble::engine {

Preprocessor::Preprocessor(int size, const Preprocessing& preprocessing, const AugmentOptions& augment)
    : size_(size),
      erase_(augment.erase),
      augmenter_(size, preprocessing, augment),
      normaliser_(preprocessing),
      rgb_(static_cast<std::size_t>(size) * static_cast<std::size_t>(size) * 3) {}

void Preprocessor::apply(const Image& image, DataRandom random, std::span<float> values) {
  augmenter_.apply(image, random, rgb_);
  normaliser_.apply(rgb_, values);
  if (erase_ > 0) erase_randomly(size_, erase_, random, values);
}

}  // namespace bramble::engine
