#include "kernels/relative_position_bias/relative_position_bias.h"

namespace bramble::kernels {

void relative_position_bias_fwd_f32(const RelativePositionShape& shape, std::int64_t head_begin, std::int64_t head_end,
                                    const float* table, float* bias) {
  const std::int64_t stride = shape.bias_stride();
  for (std::int64_t h = head_begin; h < head_end; ++h) {
    const float* own = table + h * shape.head_stride;
    for (std::int64_t j = 0; j < shape.keys; ++j) {
      const std::int32_t* index = shape.index + j * shape.queries;
      float* row = bias + (h * shape.keys + j) * stride;
      for (std::int64_t i = 0; i < shape.queries; ++i)
        row[i] = index[i] < 0 ? 0.0f : shape.factor * own[index[i] * shape.entry_stride];
      for (std::int64_t i = shape.queries; i < stride; ++i) row[i] = 0;
    }
  }
}

void relative_position_bias_bwd_f32(const RelativePositionShape& shape, std::int64_t head_begin, std::int64_t head_end,
                                    const float* dbias, float* dtable) {
  for (std::int64_t h = head_begin; h < head_end; ++h) {
    float* own = dtable + h * shape.head_stride;
    for (std::int64_t e = 0; e < shape.entries; ++e) own[e * shape.entry_stride] = 0;
    for (std::int64_t j = 0; j < shape.keys; ++j) {
      const std::int32_t* index = shape.index + j * shape.queries;
      const float* row = dbias + (h * shape.keys + j) * shape.bias_stride();
      for (std::int64_t i = 0; i < shape.queries; ++i)
        if (index[i] >= 0) own[index[i] * shape.entry_stride] += shape.factor * row[i];
    }
  }
}

}  // namespace bramble::kernels
