// The matrices of one head of attention, however its kind: they lie anywhere, the rows alike far apart.
#pragma once

#include <cstdint>

namespace bramble::kernels {

template <class Value>
struct MatrixRows {
  Value* data = nullptr;
  std::int64_t stride = 0;  ///< in elements

  Value* row(std::int64_t i) const { return data + i * stride; }
};

struct HeadInputs {
  MatrixRows<const float> q, k, v;
};

struct HeadGradients {
  MatrixRows<float> dq, dk, dv;
};

}  // namespace bramble::kernels
