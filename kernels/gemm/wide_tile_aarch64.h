// A tile of five rows where they lie and 16 columns of two panels of B, as the tiles in whole_tile_aarch64.h. Include
// from whole_tile_neon.h only.
//
// Limits: a turn of 4 steps is 80 FMAs, 40 cycles of two pipes, some 125 instructions, 32 of the decoder.
#pragma once

#include <cstddef>

#include "kernels/gemm/whole_tile_aarch64.h"

namespace bramble::kernels::gemm {

static_assert(offsetof(WholeTile, third) == 168 && offsetof(WholeTile, third_step) == 176 &&
              offsetof(WholeTile, fourth) == 184 && offsetof(WholeTile, fourth_step) == 192);

// clang-format off
#define BRAMBLE_FMA_WIDE(c0, c1, c2, c3, a) \
  "fmla v" #c0 ".4s, v28.4s, v" #a "\n\t"   \
  "fmla v" #c1 ".4s, v29.4s, v" #a "\n\t"   \
  "fmla v" #c2 ".4s, v30.4s, v" #a "\n\t"   \
  "fmla v" #c3 ".4s, v31.4s, v" #a "\n\t"
#define BRAMBLE_ADD_WIDE(c0, c1, c2, c3)     \
  "ld1 {v0.4s-v3.4s}, [x10], x11\n\t"        \
  "fadd v" #c0 ".4s, v" #c0 ".4s, v0.4s\n\t" \
  "fadd v" #c1 ".4s, v" #c1 ".4s, v1.4s\n\t" \
  "fadd v" #c2 ".4s, v" #c2 ".4s, v2.4s\n\t" \
  "fadd v" #c3 ".4s, v" #c3 ".4s, v3.4s\n\t"
#define BRAMBLE_SCALE_WIDE(c0, c1, c2, c3)   \
  "fmul v" #c0 ".4s, v" #c0 ".4s, v0.4s\n\t" \
  "fmul v" #c1 ".4s, v" #c1 ".4s, v1.4s\n\t" \
  "fmul v" #c2 ".4s, v" #c2 ".4s, v2.4s\n\t" \
  "fmul v" #c3 ".4s, v" #c3 ".4s, v3.4s\n\t"
#define BRAMBLE_SCALE_FIRST_WIDE(c0, c1, c2, c3) "ld1 {v0.4s-v3.4s}, [x12]\n\t" BRAMBLE_SCALE_WIDE(c0, c1, c2, c3)
#define BRAMBLE_START_FIRST_WIDE(c0, c1, c2, c3) "ld1 {v8.4s-v11.4s}, [x10]\n\t"
#define BRAMBLE_START_WIDE(c0, c1, c2, c3)                      \
  "mov v" #c0 ".16b, v8.16b\n\t" "mov v" #c1 ".16b, v9.16b\n\t" \
  "mov v" #c2 ".16b, v10.16b\n\t" "mov v" #c3 ".16b, v11.16b\n\t"
#define BRAMBLE_ZERO_WIDE(c0, c1, c2, c3)               \
  "movi v" #c0 ".4s, #0\n\t" "movi v" #c1 ".4s, #0\n\t" \
  "movi v" #c2 ".4s, #0\n\t" "movi v" #c3 ".4s, #0\n\t"
#define BRAMBLE_STORE_WIDE(c0, c1, c2, c3) "st1 {v" #c0 ".4s-v" #c3 ".4s}, [x10], x11\n\t"

#define BRAMBLE_FIVE_WIDE_ROWS(first, M)                                                                \
  first##_WIDE(8, 9, 10, 11) M##_WIDE(12, 13, 14, 15) M##_WIDE(16, 17, 18, 19) M##_WIDE(20, 21, 22, 23) \
  M##_WIDE(24, 25, 26, 27)

// x0 to x4 are the rows, a turn's elements x14 bytes on in each. B: two vectors at x5, the third at x6, x21 bytes from
// step to step, the fourth at x7, x22.
#define BRAMBLE_WIDE_LANE(l)                                                        \
  BRAMBLE_FMA_WIDE(8, 9, 10, 11, 0.s[l]) BRAMBLE_FMA_WIDE(12, 13, 14, 15, 1.s[l])   \
  BRAMBLE_FMA_WIDE(16, 17, 18, 19, 2.s[l]) BRAMBLE_FMA_WIDE(20, 21, 22, 23, 3.s[l]) \
  BRAMBLE_FMA_WIDE(24, 25, 26, 27, 4.s[l])
#define BRAMBLE_WIDE_COLUMNS(at) \
  "ldp q28, q29, [x5, #" #at "]\n\t" "ld1 {v30.4s}, [x6], x21\n\t" "ld1 {v31.4s}, [x7], x22\n\t"
#define BRAMBLE_WIDE_LOAD                                                 \
  "ldr q0, [x0, x14]\n\t" "ldr q1, [x1, x14]\n\t" "ldr q2, [x2, x14]\n\t" \
  "ldr q3, [x3, x14]\n\t" "ldr q4, [x4, x14]\n\t"
#define BRAMBLE_WIDE_TURN                                            \
  BRAMBLE_WIDE_COLUMNS(0) BRAMBLE_WIDE_LOAD BRAMBLE_WIDE_LANE(0)     \
  BRAMBLE_WIDE_COLUMNS(48) BRAMBLE_COPIES_FIRST BRAMBLE_WIDE_LANE(1) \
  BRAMBLE_WIDE_COLUMNS(96) BRAMBLE_COPIES_NEXT BRAMBLE_WIDE_LANE(2)  \
  BRAMBLE_WIDE_COLUMNS(144) BRAMBLE_WIDE_LANE(3) BRAMBLE_COPIES_LAST \
  "add x5, x5, #192\n\t" "add x14, x14, #16\n\t"

/// Five rows of A where they lie, a_step bytes from row to row, and 16 columns, the first two vectors of which are 12
/// floats from step to step. No steps remain after the turns.
BRAMBLE_INLINE void multiply_five_rows(const WholeTile& tile) {
  asm volatile(
      "ldp x0, x4, [%[tile]]\n\t" "ldr x5, [%[tile], #16]\n\t" "mov x14, xzr\n\t"
      "ldp x6, x21, [%[tile], #168]\n\t" "ldp x7, x22, [%[tile], #184]\n\t"
      "add x1, x0, x4\n\t" "add x2, x0, x4, lsl #1\n\t" "add x3, x1, x4, lsl #1\n\t" "add x4, x0, x4, lsl #2\n\t"
      BRAMBLE_WHOLE_TILE(BRAMBLE_FIVE_WIDE_ROWS, BRAMBLE_WIDE_TURN, "")
      : : [tile] "r"(&tile) : BRAMBLE_CLOBBERS, "x21", "x22");
}
// clang-format on

}  // namespace bramble::kernels::gemm
