#include "kernels/bias/bias.h"

#include "kernels/add/add.h"

namespace bramble::kernels {

void bias_fwd_f32(std::size_t begin, std::size_t end, std::size_t size, const float* x, const float* b, float* y) {
  // A sum for each stretch that the bias covers once, or the part of it within the range.
  while (begin < end) {
    const std::size_t offset = begin % size;
    const std::size_t stop = end - begin < size - offset ? end - begin : size - offset;
    add_fwd_f32(Activation::none, 0, stop, x + begin, b + offset, y + begin);
    begin += stop;
  }
}

}  // namespace bramble::kernels
