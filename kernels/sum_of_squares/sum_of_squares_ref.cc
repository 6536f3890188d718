#include "kernels/sum_of_squares/sum_of_squares.h"

namespace bramble::kernels {

double sum_of_squares_f32_ref(std::size_t begin, std::size_t end, const float* x) {
  double sum = 0;
  for (std::size_t i = begin; i < end; ++i) sum += static_cast<double>(x[i]) * x[i];
  return sum;
}

}  // namespace bramble::kernels
