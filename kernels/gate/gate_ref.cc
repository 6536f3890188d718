#include <vector>

#include "kernels/gate/gate.h"

namespace bramble::kernels {
namespace {

/// Calls visit(index in x, index in the gate) for every element of x.
template <class Visit>
void for_each_element(const GateShape& s, Visit visit) {
  for (std::size_t n = 0; n < s.batch; ++n)
    for (std::size_t h = 0; h < s.height; ++h)
      for (std::size_t w = 0; w < s.width; ++w)
        for (std::size_t c = 0; c < s.channels; ++c) {
          const std::size_t i = h * s.gate_height / s.height, j = w * s.gate_width / s.width;
          visit(((n * s.height + h) * s.width + w) * s.channels + c,
                ((n * s.gate_height + i) * s.gate_width + j) * s.channels + c);
        }
}

}  // namespace

void gate_fwd_f32_ref(const GateShape& shape, const float* x, const float* gate, float* y) {
  for_each_element(shape, [&](std::size_t at, std::size_t of) { y[at] = x[at] * gate[of]; });
}

void gate_bwd_f32_ref(const GateShape& shape, const float* dy, const float* x, const float* gate, float* dx,
                      float* dgate) {
  std::vector<double> sums(shape.batch * shape.gate_height * shape.gate_width * shape.channels);
  for_each_element(shape, [&](std::size_t at, std::size_t of) {
    sums[of] += static_cast<double>(dy[at]) * x[at];
    if (dx != nullptr) dx[at] = dy[at] * gate[of];
  });
  for (std::size_t i = 0; i < sums.size(); ++i) if (dgate != nullptr) dgate[i] = static_cast<float>(sums[i]);
}

}  // namespace bramble::kernels
