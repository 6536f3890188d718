// The equations of depthwise_conv2d.h as loops, in double.
#include <algorithm>
#include <cstddef>
#include <vector>

#include "kernels/depthwise_conv2d/depthwise_conv2d.h"

namespace bramble::kernels {
namespace {

/// Calls visit(x index, y index, weight index) for every product of the convolution, image by image, row by row.
template <class Visit>
void for_each_product(const DepthwiseConv2dShape& s, Visit visit) {
  for (std::int64_t n = 0; n < s.batch; ++n)
    for (std::int64_t oy = 0; oy < s.out_height; ++oy)
      for (std::int64_t ox = 0; ox < s.out_width; ++ox)
        for (std::int64_t ky = 0; ky < s.kernel_height; ++ky)
          for (std::int64_t kx = 0; kx < s.kernel_width; ++kx) {
            const std::int64_t iy = oy * s.stride - s.padding_height + ky * s.dilation;
            const std::int64_t ix = ox * s.stride - s.padding_width + kx * s.dilation;
            if (iy < 0 || iy >= s.in_height || ix < 0 || ix >= s.in_width) continue;
            for (std::int64_t c = 0; c < s.channels; ++c)
              visit(static_cast<std::size_t>(((n * s.in_height + iy) * s.in_width + ix) * s.channels + c),
                    static_cast<std::size_t>(((n * s.out_height + oy) * s.out_width + ox) * s.channels + c),
                    static_cast<std::size_t>((ky * s.kernel_width + kx) * s.channels + c));
          }
}

void store(const std::vector<double>& from, float* to) {
  std::transform(from.begin(), from.end(), to, [](double value) { return static_cast<float>(value); });
}

std::vector<double> zeros(std::int64_t count) { return std::vector<double>(static_cast<std::size_t>(count)); }

}  // namespace

void depthwise_conv2d_fwd_f32_ref(const DepthwiseConv2dShape& shape, const float* x, const float* weight,
                                  const float* bias, float minimum, float maximum, float* y) {
  std::vector<double> sum = zeros(shape.batch * shape.out_height * shape.out_width * shape.channels);
  for_each_product(shape, [&](std::size_t xi, std::size_t yi, std::size_t wi) {
    sum[yi] += static_cast<double>(x[xi]) * weight[wi];
  });
  const auto channels = static_cast<std::size_t>(shape.channels);
  for (std::size_t i = 0; i < sum.size(); ++i) {
    if (bias != nullptr) sum[i] += bias[i % channels];
    sum[i] = std::min(std::max(sum[i], static_cast<double>(minimum)), static_cast<double>(maximum));
  }
  store(sum, y);
}

void depthwise_conv2d_bwd_data_f32_ref(const DepthwiseConv2dShape& shape, const float* dy, const float* weight,
                                       const float* addend, float* dx) {
  std::vector<double> sum = zeros(shape.batch * shape.in_height * shape.in_width * shape.channels);
  if (addend != nullptr) std::copy_n(addend, sum.size(), sum.begin());
  for_each_product(shape, [&](std::size_t xi, std::size_t yi, std::size_t wi) {
    sum[xi] += static_cast<double>(dy[yi]) * weight[wi];
  });
  store(sum, dx);
}

void depthwise_conv2d_bwd_weight_f32_ref(const DepthwiseConv2dShape& shape, const float* x, const float* dy, float* dw,
                                         float* db) {
  std::vector<double> sum = zeros(shape.taps() * shape.channels);
  for_each_product(shape, [&](std::size_t xi, std::size_t yi, std::size_t wi) {
    sum[wi] += static_cast<double>(x[xi]) * dy[yi];
  });
  store(sum, dw);
  if (db == nullptr) return;
  std::vector<double> bias_sum = zeros(shape.channels);
  const std::int64_t count = shape.batch * shape.out_height * shape.out_width * shape.channels;
  for (std::int64_t i = 0; i < count; ++i) bias_sum[static_cast<std::size_t>(i % shape.channels)] += dy[i];
  store(bias_sum, db);
}

}  // namespace bramble::kernels
