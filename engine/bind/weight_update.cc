#include "engine/bind/weight_update.h"

#include <algorithm>

#include "engine/bind/slices.h"
#include "engine/layout.h"
#include "graph/ops/adamw.h"
#include "graph/ops/lion.h"
#include "graph/ops/sgd.h"

namespace bramble::engine {
namespace {

constexpr int kParameter = 0, kGradient = 1;

ElementUpdate update_of(const BindContext& context) {
  const graph::Op* op = context.update();
  if (!op) return nullptr;
  if (dynamic_cast<const graph::Adamw*>(op)) return update_with_adamw(context);
  if (dynamic_cast<const graph::Lion*>(op)) return update_with_lion(context);
  return update_with_sgd(context);
}

}  // namespace

Bound bind_update(const BindContext& context, const ElementUpdate& update) {
  const Slices slices = slice_elements(storage_elements(context.input(kParameter)));
  return {{{slices.count, [=](const Operands& o, std::int64_t task, std::byte*) {
              const std::size_t begin = slices.begin(task);
              update(o, begin, slices.end(task), o.in<float>(kGradient) + begin);
            }}}};
}

WeightUpdate::WeightUpdate(const BindContext& context) : update_(update_of(context)) {
  if (dynamic_cast<const graph::Sgd*>(context.update())) copied_ = copied_update_with_sgd(context);
}

WeightUpdate::Tiles::Tiles(const WeightUpdate& update, const Operands& operands)
    : update_(update.copied_), operands_(operands) {
  gemm_.weight = operands.mutable_in<float>(update_.parameter);
  if (update_.state >= 0) gemm_.state = operands.mutable_in<float>(update_.state);
  gemm_.context = this;
  gemm_.run = [](const void* context, const float* gradient, float* weight, float* state) {
    const auto& tiles = *static_cast<const Tiles*>(context);
    constexpr std::size_t kTile = kernels::kGemmTileRows * kernels::kGemmTileCols;
    tiles.update_.run(tiles.operands_, kTile, gradient, weight, state);
  };
}

void WeightUpdate::apply(const Operands& operands, std::int64_t begin, std::int64_t end, const float* gradient) const {
  update_(operands, static_cast<std::size_t>(begin), static_cast<std::size_t>(end), gradient);
}

void WeightUpdate::apply(const Operands& operands, const kernels::PackedWeightShape& weight, const Block& block,
                         const float* panels) const {
  const std::int64_t depth = weight.depth(), cols = kernels::round_up(weight.cols(), 4);
  const std::int64_t group = block.group * kernels::packed_weight_elements(depth, weight.cols());
  for (std::int64_t col = block.col_begin; col < block.col_end; col += kernels::kGemmTileCols) {
    const std::int64_t width = std::min(kernels::kGemmTileCols, cols - col);
    const std::int64_t count = (block.row_end - block.row_begin) * width;
    for (std::int64_t tap = 0; tap < block.taps; ++tap) {
      const std::int64_t begin = group + col * depth + (tap * (depth / block.taps) + block.row_begin) * width;
      apply(operands, begin, begin + count, panels);
      panels += count;
    }
  }
}

}  // namespace bramble::engine
