#include "kernels/gemm/packed_weight.h"
#include "kernels/linear/linear_scale.h"

namespace bramble::kernels {

void linear_scale_bwd_f32_ref(const LinearScale& layer, const float* unscaled_dw, const float* unscaled_db, float* dw,
                              float* db, float* dscale) {
  for (std::int64_t o = 0; o < layer.out; ++o) {
    double sum = layer.bias != nullptr ? static_cast<double>(layer.bias[o]) * unscaled_db[o] : 0;
    for (std::int64_t i = 0; i < layer.in; ++i) {
      const std::int64_t at = packed_weight_offset(layer.in, layer.out, i, o);
      sum += static_cast<double>(layer.weight[at]) * unscaled_dw[at];
      if (dw != nullptr) dw[at] = unscaled_dw[at] * layer.scale[o];
    }
    if (dscale != nullptr) dscale[o] = static_cast<float>(sum);
    if (db != nullptr) db[o] = unscaled_db[o] * layer.scale[o];
  }
}

}  // namespace bramble::kernels
