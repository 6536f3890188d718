// The machine under the benchmark: its name, its limit, the process's memory.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace bramble::bench {

enum class Board { raspberry_pi_4, raspberry_pi_5, other };

/// "Raspberry Pi 5 Model B Rev 1.0" from the device tree; elsewhere the CPU's name.
std::string machine_name();
/// By the name that machine_name() gives. A Compute Module counts as its board.
Board board_of(const std::string& machine_name);

/// A Pi 5's memory, for all cores together: LPDDR4X-4267 x32 peaks at 17.1.
inline constexpr double kPi5BytesPerSecond = 11e9;

/// What fp32 can reach, in FLOP/s: two 128-bit FMAs a cycle at 2.4 GHz on each core of a Pi 5. Unknown elsewhere.
std::optional<double> fp32_limit(Board board, int threads);

/// Peak memory from now on (Linux can start its high-water mark anew), and its value in bytes.
void reset_process_peak();
std::size_t process_peak_bytes();

}  // namespace bramble::bench
