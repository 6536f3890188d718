#include <algorithm>
#include <vector>

#include "kernels/conv2d/conv2d.h"

namespace bramble::kernels {
namespace {

// Calls visit(index in x, index in weight, index in y) for every product of the convolution.
template <class Visit>
void for_each_product(const Conv2dShape& s, Visit visit) {
  const std::int64_t group_elements = packed_weight_elements(s.depth(), s.out_per_group());
  for (std::int64_t row = 0; row < s.out_rows(); ++row) {
    const std::int64_t ox = row % s.out_width(), oy = row / s.out_width() % s.out_height();
    const std::int64_t n = row / s.out_width() / s.out_height();
    for (std::int64_t ky = 0; ky < s.kernel_height; ++ky) {
      for (std::int64_t kx = 0; kx < s.kernel_width; ++kx) {
        const std::int64_t iy = oy * s.stride + ky * s.dilation - s.padding;
        const std::int64_t ix = ox * s.stride + kx * s.dilation - s.padding;
        if (iy < 0 || iy >= s.in_height || ix < 0 || ix >= s.in_width) continue;
        for (std::int64_t o = 0; o < s.out_channels; ++o) {
          const std::int64_t group = o / s.out_per_group();
          for (std::int64_t c = 0; c < s.in_per_group(); ++c) {
            const std::int64_t k = (ky * s.kernel_width + kx) * s.in_per_group() + c;
            visit(((n * s.in_height + iy) * s.in_width + ix) * s.in_channels + group * s.in_per_group() + c,
                  group * group_elements + packed_weight_offset(s.depth(), s.out_per_group(), k, o % s.out_per_group()),
                  row * s.out_channels + o);
          }
        }
      }
    }
  }
}

std::vector<double> zeros(std::int64_t count) { return std::vector<double>(static_cast<std::size_t>(count)); }

void round_to(const std::vector<double>& sums, float* result) {
  std::transform(sums.begin(), sums.end(), result, [](double sum) { return static_cast<float>(sum); });
}

}  // namespace

void conv2d_fwd_f32_ref(const Conv2dShape& shape, const float* x, const float* weight, float* y,
                        const GemmEpilogue& epilogue) {
  auto sums = zeros(shape.out_rows() * shape.out_channels);
  for_each_product(shape, [&](std::int64_t xi, std::int64_t wi, std::int64_t yi) {
    sums[static_cast<std::size_t>(yi)] += static_cast<double>(x[xi]) * weight[wi];
  });
  for (std::size_t i = 0; i < sums.size(); ++i) {
    double sum = sums[i];
    if (epilogue.bias) sum += epilogue.bias[i % static_cast<std::size_t>(shape.out_channels)];
    if (epilogue.residual) sum += epilogue.residual[i];
    if (epilogue.preactivation) epilogue.preactivation[i] = static_cast<float>(sum);
    y[i] = static_cast<float>(activation_ref(epilogue.activation, sum));
  }
}

void conv2d_bwd_data_f32_ref(const Conv2dShape& shape, const float* dy, const float* weight, const float* addend,
                             float* dx) {
  auto sums = zeros(shape.batch * shape.in_height * shape.in_width * shape.in_channels);
  if (addend) std::copy_n(addend, sums.size(), sums.begin());
  for_each_product(shape, [&](std::int64_t xi, std::int64_t wi, std::int64_t yi) {
    sums[static_cast<std::size_t>(xi)] += static_cast<double>(dy[yi]) * weight[wi];
  });
  round_to(sums, dx);
}

void conv2d_bwd_weight_f32_ref(const Conv2dShape& shape, const float* x, const float* dy, float* dw, float* db) {
  auto sums = zeros(packed_weight_elements(shape.weight()));
  for_each_product(shape, [&](std::int64_t xi, std::int64_t wi, std::int64_t yi) {
    sums[static_cast<std::size_t>(wi)] += static_cast<double>(x[xi]) * dy[yi];
  });
  round_to(sums, dw);
  if (!db) return;
  auto bias_sums = zeros(shape.out_channels);
  for (std::int64_t i = 0; i < shape.out_rows() * shape.out_channels; ++i) {
    bias_sums[static_cast<std::size_t>(i % shape.out_channels)] += dy[i];
  }
  round_to(bias_sums, db);
}

}  // namespace bramble::kernels
