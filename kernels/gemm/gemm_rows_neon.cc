#include <algorithm>

#include "kernels/activation/activation_neon.h"
#include "kernels/gemm/gemm.h"
#include "kernels/gemm/tile_neon.h"

namespace bramble::kernels {
namespace {

using gemm::Accumulators;
using gemm::TileTask;

constexpr int kRows = kGemmRowsTile;

/// Seven rows of A, and where theirs of C lie. Rows that do not exist are the last one once more.
struct RowTile {
  const float* a[kRows];
  std::int64_t c[kRows];
  std::int64_t count;

  RowTile(const GemmRows& product, std::int64_t first) : count(std::min<std::int64_t>(kRows, product.rows - first)) {
    const float* from = product.a + first * product.a_stride;
    std::int64_t to = first * product.c_stride;
    for (std::int64_t i = 0; i < kRows; ++i) {
      a[i] = from;
      c[i] = to;
      if (i + 1 < count) from += product.a_stride, to += product.c_stride;
    }
  }
};

/// Finished rows on their way to C. A tile leaves here what it made, and the next one's products hide the stores: one
/// row goes out with each four steps, where all of them at once would have to wait for the memory.
struct Outbox {
  alignas(64) float rows[2 * kRows][kGemmTileCols];
  float* to[2 * kRows];
  int count = 0;

  void queue(float* base, const RowTile& tile) {
    for (std::int64_t i = 0; i < tile.count; ++i) to[count + i] = base + tile.c[i];
  }
  BRAMBLE_INLINE void send(int i, int vector) const { vst1q_f32(to[i] + 4 * vector, vld1q_f32(rows[i] + 4 * vector)); }
  BRAMBLE_INLINE void send(int i) const {
    BRAMBLE_UNROLL
    for (int vector = 0; vector < 3; ++vector) send(i, vector);
  }
};

// Four steps: 84 FMAs take 42 cycles of the two pipes, the 19 loads 10 of theirs, all 103 instructions 26 of the
// decoder. between(i) is called after each of the first three.
template <int Vectors, class Between>
BRAMBLE_INLINE void four_steps(Accumulators<kRows, Vectors>& acc, const float* const (&a)[kRows], std::int64_t k,
                               const float* b, Between&& between) {
  float32x4_t steps[kRows];
  BRAMBLE_UNROLL
  for (int i = 0; i < kRows; ++i) steps[i] = vld1q_f32(a[i] + k);
  gemm::step_rows<0>(acc, steps, b);
  between(0);
  gemm::step_rows<1>(acc, steps, b + 4 * Vectors);
  between(1);
  gemm::step_rows<2>(acc, steps, b + 8 * Vectors);
  between(2);
  gemm::step_rows<3>(acc, steps, b + 12 * Vectors);
}

template <int Vectors>
BRAMBLE_INLINE void multiply(Accumulators<kRows, Vectors>& acc, const float* const* rows, std::int64_t begin,
                             std::int64_t end, const float* b, Outbox& outbox) {
  const float* a[kRows];
  BRAMBLE_UNROLL
  for (int i = 0; i < kRows; ++i) a[i] = rows[i];
  std::int64_t k = begin;
  // The quiet steps first: the other way round GCC copies accumulators about in them.
  int sent = outbox.count - static_cast<int>(std::min<std::int64_t>(outbox.count, (end - begin) / 4));
  for (int i = 0; i < sent; ++i) outbox.send(i);
  const std::int64_t quiet_end = end - 4 * (outbox.count - sent);
  for (; k + 4 <= quiet_end; k += 4, b += 16 * Vectors) four_steps(acc, a, k, b, [](int) {});
  for (; sent < outbox.count; ++sent, k += 4, b += 16 * Vectors) {
    four_steps(acc, a, k, b, [&](int vector) { outbox.send(sent, vector); });
  }
  for (; k < end; ++k, b += 4 * Vectors) {
    float32x4_t step[kRows];
    BRAMBLE_UNROLL
    for (int i = 0; i < kRows; ++i) step[i] = vld1q_dup_f32(a[i] + k);
    gemm::step_rows<0>(acc, step, b);
  }
  outbox.count = 0;
}

// Seven rows of the outbox lie side by side.
constexpr std::int64_t kOutboxRows[kRows] = {0, 12, 24, 36, 48, 60, 72};

__attribute__((noinline)) void activate_outbox(Activation activation, const float* z, float* y) {
  dispatch_activation(activation, [=]<Activation A>() {
    for (std::int64_t i = 0; i < kRows * kGemmTileCols; i += kGemmTileCols) activate_vectors<A, 3>(z + i, y + i);
  });
}

__attribute__((noinline)) void gelu_bwd_outbox(const float* z, const std::int64_t* rows, float* dx) {
  for (std::int64_t i = 0; i < kRows; ++i, dx += kGemmTileCols) gelu_bwd_vectors<3>(z + rows[i], dx, dx);
}

/// As gemm::finish_tile, into the outbox.
BRAMBLE_INLINE void finish(Accumulators<kRows, 3>& acc, const TileTask& task, const RowTile& rows, std::int64_t col,
                           Outbox& outbox) {
  float* const first = outbox.rows[0];
  float* const c = task.c + col;
  const int count = static_cast<int>(rows.count);
  if (task.accumulate) gemm::add_rows(acc, c, rows.c);
  outbox.count = 0;
  if (task.plain) {
    gemm::store_rows(acc, first, kOutboxRows);
    outbox.queue(c, rows);
    outbox.count = count;
    return;
  }
  const GemmEpilogue& epilogue = task.epilogue;
  if (epilogue.bias && task.accumulate) gemm::add_rows(acc, epilogue.bias + col, gemm::kSameRow);
  if (epilogue.scale) gemm::scale_columns(acc, epilogue.scale + col);
  if (epilogue.residual) gemm::add_rows(acc, epilogue.residual + col, rows.c);
  gemm::store_rows(acc, first, kOutboxRows);
  float* result = first;
  if (epilogue.preactivation) {
    outbox.queue(epilogue.preactivation + col, rows);
    outbox.count = count;
    result = outbox.rows[count];
  }
  if (gemm::clamps(epilogue.activation) || epilogue.activation == Activation::none) {
    if (gemm::clamps(epilogue.activation)) gemm::clamp(acc, epilogue.activation == Activation::relu6);
    gemm::store_rows(acc, result, kOutboxRows);
  } else {
    activate_outbox(epilogue.activation, first, result);
  }
  if (epilogue.gelu_input) gelu_bwd_outbox(epilogue.gelu_input + col, rows.c, result);
  outbox.queue(c, rows);
  outbox.count += count;
}

template <int Vectors>
void tile(const GemmRows& product, const TileTask& task, const RowTile& rows, std::int64_t begin, std::int64_t end,
          std::int64_t col, Outbox& outbox) {
  constexpr std::int64_t kWidth = 4 * Vectors;
  const bool whole = product.cols - col >= kWidth;
  Accumulators<kRows, Vectors> acc;
  gemm::begin_tile(acc, whole ? task.start(col) : nullptr);
  multiply(acc, rows.a, begin, end, product.b + col * product.b_depth + begin * kWidth, outbox);
  if (!whole) return gemm::finish_edge(acc, task, col, rows.c, rows.count, product.cols - col);
  if constexpr (Vectors == 3) {
    finish(acc, task, rows, col, outbox);
  } else {
    gemm::finish_tile(acc, task, col, rows.c, rows.count);
  }
}

/// Terms [begin, end) of the sums of columns [col_begin, col_end).
void multiply_group(const GemmRows& product, const TileTask& task, std::int64_t begin, std::int64_t end,
                    std::int64_t col_begin, std::int64_t col_end) {
  Outbox outbox;
  for (std::int64_t row = 0; row < product.rows; row += kRows) {
    const RowTile rows(product, row);
    for (std::int64_t col = col_begin; col < col_end; col += kGemmTileCols) {
      switch (std::min(kGemmTileCols, round_up(product.cols - col, 4)) / 4) {
        case 1:
          tile<1>(product, task, rows, begin, end, col, outbox);
          break;
        case 2:
          tile<2>(product, task, rows, begin, end, col, outbox);
          break;
        default:
          tile<3>(product, task, rows, begin, end, col, outbox);
          break;
      }
    }
  }
  for (int i = 0; i < outbox.count; ++i) outbox.send(i);
}

// B panels that stay in L1 while A's rows pass by, each multiplied with all of them.
constexpr std::int64_t kGroupFloats = (36 << 10) / sizeof(float);
// What stays in half of L2.
constexpr std::int64_t kHalfL2Floats = (256 << 10) / sizeof(float);

/// A product in blocks: some terms of the sums, some of the columns.
struct Blocks {
  const GemmRows& product;
  const GemmEpilogue& epilogue;
  std::int64_t step;   // of the depth
  std::int64_t group;  // columns

  BRAMBLE_PAGE_ALIGNED void run(std::int64_t k, std::int64_t col) const {
    const std::int64_t end = std::min(k + step, product.depth);
    const TileTask task(product.c, end == product.depth ? epilogue : GemmEpilogue{}, product.accumulate || k > 0);
    multiply_group(product, task, k, end, col, std::min(col + group, product.cols));
  }
};

}  // namespace

void gemm_rows_f32(const GemmRows& product, const GemmEpilogue& epilogue) {
  const std::int64_t depth = std::max<std::int64_t>(product.depth, 1);
  const std::int64_t step = std::clamp<std::int64_t>(product.depth_step, 1, depth);
  const std::int64_t group = std::max<std::int64_t>(1, kGroupFloats / (kGemmTileCols * step)) * kGemmTileCols;
  const Blocks blocks{product, epilogue, step, group};
  // A passes by once for each group of columns: a step of its depth at a time if all of it leaves L2 too little room,
  // as long as C, which then comes and goes once a step, stays there instead. Either way the same bits.
  if (product.rows * depth > kHalfL2Floats && product.rows * product.cols <= kHalfL2Floats) {
    for (std::int64_t k = 0; k < depth; k += step)
      for (std::int64_t col = 0; col < product.cols; col += group) blocks.run(k, col);
  } else {
    for (std::int64_t col = 0; col < product.cols; col += group)
      for (std::int64_t k = 0; k < depth; k += step) blocks.run(k, col);
  }
}

}  // namespace bramble::kernels
