#include "bench/kernels/xnnpack_peer.h"

#include <pthreadpool.h>
#include <xnnpack.h>

#include <limits>
#include <stdexcept>
#include <vector>

#include "bench/kernels/measure.h"
#include "tests/support/random.h"

namespace bramble::bench {
namespace {

void require(xnn_status status, const char* call) {
  if (status != xnn_status_success) throw std::runtime_error(std::string(call) + " of XNNPACK failed");
}

}  // namespace

struct XnnpackConv2d::State {
  pthreadpool_t pool = nullptr;
  xnn_operator_t op = nullptr;
  std::vector<float> x, y;

  ~State() {
    if (op) xnn_delete_operator(op);
    if (pool) pthreadpool_destroy(pool);
  }
};

XnnpackConv2d::XnnpackConv2d(const kernels::Conv2dShape& shape) : state_(std::make_unique<State>()) {
  require(xnn_initialize(nullptr), "xnn_initialize");
  State& s = *state_;
  if (options().threads > 1) s.pool = pthreadpool_create(static_cast<std::size_t>(options().threads));
  const auto size = [](std::int64_t n) { return static_cast<std::size_t>(n); };
  const auto u32 = [](std::int64_t n) { return static_cast<std::uint32_t>(n); };
  const std::size_t pixels = size(shape.batch * shape.in_height * shape.in_width);
  // XNNPACK may read 16 bytes beyond the end.
  s.x = test::uniform(pixels * size(shape.in_channels) + XNN_EXTRA_BYTES, 1);
  s.y.resize(size(shape.out_rows() * shape.out_channels));
  const auto kernel = test::uniform(size(shape.out_channels * shape.depth()), 2);
  const auto bias = test::uniform(size(shape.out_channels), 3);
  const float highest = std::numeric_limits<float>::infinity();
  const bool linear = shape.batch == 1 && shape.in_height == 1 && shape.kernel_height * shape.kernel_width == 1;
  if (linear) {
    const std::size_t in = size(shape.in_channels), out = size(shape.out_channels);
    require(xnn_create_fully_connected_nc_f32(in, out, in, out, kernel.data(), bias.data(), 0, highest, 0, &s.op),
            "xnn_create_fully_connected_nc_f32");
    require(xnn_setup_fully_connected_nc_f32(s.op, pixels, s.x.data(), s.y.data(), s.pool),
            "xnn_setup_fully_connected_nc_f32");
    return;
  }
  const std::uint32_t padding = u32(shape.padding), below = padding + u32(shape.extra_padding);
  require(xnn_create_convolution2d_nhwc_f32(
              padding, below, below, padding, u32(shape.kernel_height), u32(shape.kernel_width), u32(shape.stride),
              u32(shape.stride), u32(shape.dilation), u32(shape.dilation), u32(shape.groups),
              size(shape.in_per_group()), size(shape.out_per_group()), size(shape.in_channels),
              size(shape.out_channels), kernel.data(), bias.data(), 0, highest, 0, &s.op),
          "xnn_create_convolution2d_nhwc_f32");
  require(xnn_setup_convolution2d_nhwc_f32(s.op, size(shape.batch), size(shape.in_height), size(shape.in_width),
                                           s.x.data(), s.y.data(), s.pool),
          "xnn_setup_convolution2d_nhwc_f32");
}

XnnpackConv2d::~XnnpackConv2d() = default;

void XnnpackConv2d::run() { require(xnn_run_operator(state_->op, state_->pool), "xnn_run_operator"); }

}  // namespace bramble::bench
