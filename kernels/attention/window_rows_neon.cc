#include "kernels/attention/window_rows.h"
#include "kernels/gemm/pack_rows_neon.h"

namespace bramble::kernels {

void gather_window_f32(std::int64_t count, std::int64_t dim, const MatrixRows<const float>& source,
                       const std::int32_t* rows, const MatrixRows<float>& target) {
  for (std::int64_t i = 0; i < count; ++i) copy_run_f32(source.row(rows[i]), dim, target.row(i));
}

void scatter_window_f32(std::int64_t count, std::int64_t dim, const MatrixRows<const float>& source,
                        const std::int32_t* rows, const MatrixRows<float>& target) {
  for (std::int64_t i = 0; i < count; ++i) copy_run_f32(source.row(i), dim, target.row(rows[i]));
}

}  // namespace bramble::kernels
