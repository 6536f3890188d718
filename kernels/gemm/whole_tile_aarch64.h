// The register tiles that have all their columns, in assembly, as of their loops no cycle of the two pipes that
// multiply goes to anything else: what GCC 12 makes of the same intrinsics copies accumulators about as soon as the
// loop does more than multiply, and stores by pairs what three registers a store would take half the time for. Include
// from whole_tile_neon.h only.
//
// Limits, of a Neoverse N1 as llvm-mca has it: a turn of 4 steps is 96 (84) FMAs, 48 (42) cycles of two pipes, some 143
// (133) instructions, 36 (34) of the decoder; loads and copies take 24 (24) of the two load and store pipes.
#pragma once

#include <cstddef>

#include "kernels/gemm/tile_neon.h"
#include "kernels/gemm/whole_tile.h"

namespace bramble::kernels::gemm {

static_assert(sizeof(TileCopy) == 16 && offsetof(TileCopy, to) == 8);
static_assert(offsetof(WholeTile, a_step) == 8 && offsetof(WholeTile, b) == 16 && offsetof(WholeTile, b_step) == 24 &&
              offsetof(WholeTile, start) == 32 && offsetof(WholeTile, turns) == 40 && offsetof(WholeTile, copy) == 48 &&
              offsetof(WholeTile, last_copy) == 56 && offsetof(WholeTile, second_copy) == 64 &&
              offsetof(WholeTile, first_half) == 72 && offsetof(WholeTile, steps) == 80 &&
              offsetof(WholeTile, sum) == 88 && offsetof(WholeTile, bias) == 104 && offsetof(WholeTile, scale) == 120 &&
              offsetof(WholeTile, residual) == 128 && offsetof(WholeTile, results) == 144 &&
              offsetof(WholeTile, result_step) == 152 && offsetof(WholeTile, plain) == 160);

// clang-format off
#define BRAMBLE_FMA(c0, c1, c2, b0, b1, b2, a) \
  "fmla v" #c0 ".4s, v" #b0 ".4s, v" #a "\n\t" \
  "fmla v" #c1 ".4s, v" #b1 ".4s, v" #a "\n\t" \
  "fmla v" #c2 ".4s, v" #b2 ".4s, v" #a "\n\t"

// A row's copy, 12 floats by way of the integer registers: a vector's store takes both of the pipes that multiply for a
// cycle, a pair of integers' none of them. x8 is the copy, x9 the last one. Two a turn; x16 is the step between them: 0
// where one is enough and the second is the first once more. Both are spread over the turn, as what comes and goes
// should be over time.
#define BRAMBLE_COPY_BEGIN(from, to, step)    \
  "ldp " #from ", " #to ", [x8]\n\t"          \
  "add x12, x8, " #step "\n\t"                \
  "cmp x8, x9\n\t" "csel x8, x12, x8, lo\n\t" \
  "ldp x12, x13, [" #from "]\n\t" "stp x12, x13, [" #to "]\n\t"
#define BRAMBLE_COPY_NEXT(from, to, at) \
  "ldp x12, x13, [" #from ", #" #at "]\n\t" "stp x12, x13, [" #to ", #" #at "]\n\t"
#define BRAMBLE_COPIES_FIRST BRAMBLE_COPY_BEGIN(x10, x11, x16)
#define BRAMBLE_COPIES_NEXT BRAMBLE_COPY_NEXT(x10, x11, 16) BRAMBLE_COPY_BEGIN(x17, x19, #16)
#define BRAMBLE_COPIES_LAST \
  BRAMBLE_COPY_NEXT(x10, x11, 32) BRAMBLE_COPY_NEXT(x17, x19, 16) BRAMBLE_COPY_NEXT(x17, x19, 32)

// The three accumulators of row `c0 / 3` and what is done to them; x10 and x11 are the rows' place and step.
#define BRAMBLE_ADD(c0, c1, c2)              \
  "ld1 {v0.4s-v2.4s}, [x10], x11\n\t"        \
  "fadd v" #c0 ".4s, v" #c0 ".4s, v0.4s\n\t" \
  "fadd v" #c1 ".4s, v" #c1 ".4s, v1.4s\n\t" \
  "fadd v" #c2 ".4s, v" #c2 ".4s, v2.4s\n\t"
#define BRAMBLE_SCALE(c0, c1, c2)            \
  "fmul v" #c0 ".4s, v" #c0 ".4s, v0.4s\n\t" \
  "fmul v" #c1 ".4s, v" #c1 ".4s, v1.4s\n\t" \
  "fmul v" #c2 ".4s, v" #c2 ".4s, v2.4s\n\t"
#define BRAMBLE_SCALE_FIRST(c0, c1, c2) "ld1 {v0.4s-v2.4s}, [x12]\n\t" BRAMBLE_SCALE(c0, c1, c2)
#define BRAMBLE_START_FIRST(c0, c1, c2) "ld1 {v8.4s-v10.4s}, [x10]\n\t"
#define BRAMBLE_START(c0, c1, c2) \
  "mov v" #c0 ".16b, v8.16b\n\t" "mov v" #c1 ".16b, v9.16b\n\t" "mov v" #c2 ".16b, v10.16b\n\t"
#define BRAMBLE_ZERO(c0, c1, c2) \
  "movi v" #c0 ".4s, #0\n\t" "movi v" #c1 ".4s, #0\n\t" "movi v" #c2 ".4s, #0\n\t"
#define BRAMBLE_STORE(c0, c1, c2) "st1 {v" #c0 ".4s-v" #c2 ".4s}, [x10], x11\n\t"

#define BRAMBLE_SEVEN_ROWS(first, M) \
  first(8, 9, 10) M(11, 12, 13) M(14, 15, 16) M(17, 18, 19) M(20, 21, 22) M(23, 24, 25) M(26, 27, 28)
#define BRAMBLE_EIGHT_ROWS(first, M) BRAMBLE_SEVEN_ROWS(first, M) M(29, 30, 31)

// All of a tile, of `ROWS` rows, from a `TURN` of four steps and one `STEP`. x20 is where the first half goes, 0 once
// it is there.
#define BRAMBLE_WHOLE_TILE(ROWS, TURN, STEP)                                                             \
  "ldp x10, x15, [%[tile], #32]\n\t" "ldp x8, x9, [%[tile], #48]\n\t" "ldp x16, x20, [%[tile], #64]\n\t" \
  ROWS(BRAMBLE_START_FIRST, BRAMBLE_START)                                                               \
  "cbz x15, 4f\n"                                                                                        \
  "2:\n\t" TURN "subs x15, x15, #1\n\t" "b.ne 2b\n\t"                                                    \
  "ldr x10, [%[tile], #160]\n\t" "cbnz x10, 10f\n\t"                                                     \
  "cbz x20, 4f\n\t" "mov x10, x20\n\t" "ldr x11, [%[tile], #96]\n\t" ROWS(BRAMBLE_STORE, BRAMBLE_STORE)  \
  "mov x20, xzr\n\t" "ldr x15, [%[tile], #40]\n\t" ROWS(BRAMBLE_ZERO, BRAMBLE_ZERO) "b 2b\n"             \
  "4:\n\t" "ldr x15, [%[tile], #80]\n\t" "cbz x15, 6f\n"                                                 \
  "5:\n\t" STEP "subs x15, x15, #1\n\t" "b.ne 5b\n"                                                      \
  "6:\n\t" "ldp x10, x11, [%[tile], #88]\n\t" "cbz x10, 7f\n\t" ROWS(BRAMBLE_ADD, BRAMBLE_ADD)           \
  "7:\n\t" "ldp x10, x11, [%[tile], #104]\n\t" "ldp x12, x13, [%[tile], #120]\n\t"                       \
  "orr x15, x10, x12\n\t" "orr x15, x15, x13\n\t" "cbz x15, 10f\n\t"                                     \
  "cbz x10, 8f\n\t" ROWS(BRAMBLE_ADD, BRAMBLE_ADD)                                                       \
  "8:\n\t" "cbz x12, 9f\n\t" ROWS(BRAMBLE_SCALE_FIRST, BRAMBLE_SCALE)                                    \
  "9:\n\t" "ldp x10, x11, [%[tile], #128]\n\t" "cbz x10, 10f\n\t" ROWS(BRAMBLE_ADD, BRAMBLE_ADD)         \
  "10:\n\t" "ldp x10, x11, [%[tile], #144]\n\t" ROWS(BRAMBLE_STORE, BRAMBLE_STORE)

#define BRAMBLE_CLOBBERS                                                                                       \
  "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", \
  "x17", "x19", "x20",                                                                                         \
  "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15",        \
  "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30",     \
  "v31", "memory", "cc"

// Seven rows where they lie: x0 to x6, a turn's elements x14 bytes on in each; B at x7.
#define BRAMBLE_ROWS_LANE(l)                  \
  BRAMBLE_FMA(8, 9, 10, 29, 30, 31, 0.s[l])   \
  BRAMBLE_FMA(11, 12, 13, 29, 30, 31, 1.s[l]) \
  BRAMBLE_FMA(14, 15, 16, 29, 30, 31, 2.s[l]) \
  BRAMBLE_FMA(17, 18, 19, 29, 30, 31, 3.s[l]) \
  BRAMBLE_FMA(20, 21, 22, 29, 30, 31, 4.s[l]) \
  BRAMBLE_FMA(23, 24, 25, 29, 30, 31, 5.s[l]) \
  BRAMBLE_FMA(26, 27, 28, 29, 30, 31, 6.s[l])
#define BRAMBLE_ROWS_COLUMNS(at, next) "ldp q29, q30, [x7, #" #at "]\n\t" "ldr q31, [x7, #" #next "]\n\t"
#define BRAMBLE_ROWS_LOAD(r)                                                             \
  "ldr " #r "0, [x0, x14]\n\t" "ldr " #r "1, [x1, x14]\n\t" "ldr " #r "2, [x2, x14]\n\t" \
  "ldr " #r "3, [x3, x14]\n\t" "ldr " #r "4, [x4, x14]\n\t" "ldr " #r "5, [x5, x14]\n\t" \
  "ldr " #r "6, [x6, x14]\n\t"
#define BRAMBLE_ROWS_TURN                                                 \
  BRAMBLE_ROWS_COLUMNS(0, 32) BRAMBLE_ROWS_LOAD(q) BRAMBLE_ROWS_LANE(0)   \
  BRAMBLE_ROWS_COLUMNS(48, 80) BRAMBLE_COPIES_FIRST BRAMBLE_ROWS_LANE(1)  \
  BRAMBLE_ROWS_COLUMNS(96, 128) BRAMBLE_COPIES_NEXT BRAMBLE_ROWS_LANE(2)  \
  BRAMBLE_ROWS_COLUMNS(144, 176) BRAMBLE_ROWS_LANE(3) BRAMBLE_COPIES_LAST \
  "add x7, x7, #192\n\t" "add x14, x14, #16\n\t"
#define BRAMBLE_ROWS_STEP                                               \
  BRAMBLE_ROWS_COLUMNS(0, 32) BRAMBLE_ROWS_LOAD(s) BRAMBLE_ROWS_LANE(0) \
  "add x7, x7, #48\n\t" "add x14, x14, #4\n\t"

/// Seven rows of A where they lie, a_step bytes from row to row. B's steps follow each other.
BRAMBLE_INLINE void multiply_seven_rows(const WholeTile& tile) {
  asm volatile(
      "ldp x0, x6, [%[tile]]\n\t" "ldr x7, [%[tile], #16]\n\t" "mov x14, xzr\n\t"
      "add x1, x0, x6\n\t" "add x2, x0, x6, lsl #1\n\t" "add x3, x1, x6, lsl #1\n\t"
      "add x4, x0, x6, lsl #2\n\t" "add x5, x1, x6, lsl #2\n\t" "add x6, x2, x6, lsl #2\n\t"
      BRAMBLE_WHOLE_TILE(BRAMBLE_SEVEN_ROWS, BRAMBLE_ROWS_TURN, BRAMBLE_ROWS_STEP)
      : : [tile] "r"(&tile) : BRAMBLE_CLOBBERS);
}

// Eight rows side by side: x0, its step x1; B at x2, its step x3.
#define BRAMBLE_LANES_STEP                                                          \
  "ldp q2, q3, [x2]\n\t" "ldr q4, [x2, #32]\n\t" "ldp q0, q1, [x0]\n\t"             \
  "add x2, x2, x3\n\t" "add x0, x0, x1\n\t"                                         \
  BRAMBLE_FMA(8, 9, 10, 2, 3, 4, 0.s[0]) BRAMBLE_FMA(11, 12, 13, 2, 3, 4, 0.s[1])   \
  BRAMBLE_FMA(14, 15, 16, 2, 3, 4, 0.s[2]) BRAMBLE_FMA(17, 18, 19, 2, 3, 4, 0.s[3]) \
  BRAMBLE_FMA(20, 21, 22, 2, 3, 4, 1.s[0]) BRAMBLE_FMA(23, 24, 25, 2, 3, 4, 1.s[1]) \
  BRAMBLE_FMA(26, 27, 28, 2, 3, 4, 1.s[2]) BRAMBLE_FMA(29, 30, 31, 2, 3, 4, 1.s[3])
#define BRAMBLE_LANES_TURN                                                       \
  BRAMBLE_LANES_STEP BRAMBLE_COPIES_FIRST BRAMBLE_LANES_STEP BRAMBLE_COPIES_NEXT \
  BRAMBLE_LANES_STEP BRAMBLE_LANES_STEP BRAMBLE_COPIES_LAST

/// Eight rows of A side by side: step k's begin a_step bytes after those before, B's columns b_step.
BRAMBLE_INLINE void multiply_eight_lanes(const WholeTile& tile) {
  asm volatile(
      "ldp x0, x1, [%[tile]]\n\t" "ldp x2, x3, [%[tile], #16]\n\t"
      BRAMBLE_WHOLE_TILE(BRAMBLE_EIGHT_ROWS, BRAMBLE_LANES_TURN, BRAMBLE_LANES_STEP)
      : : [tile] "r"(&tile) : BRAMBLE_CLOBBERS);
}
// clang-format on

}  // namespace bramble::kernels::gemm
