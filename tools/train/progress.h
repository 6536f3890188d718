// The line that is rewritten while a model trains.
#pragma once

#include <chrono>
#include <cstdint>

#include "tools/train/board.h"
#include "tools/train/metrics.h"

namespace bramble::train {

/// On a terminal: a bar with loss, accuracy, images/s, the time that is left, and on a Pi the temperature and whether
/// it is throttled. Elsewhere nothing.
class Progress {
 public:
  Progress(std::int64_t first_step, std::int64_t steps);
  ~Progress();
  void update(const StepMetrics& metrics);
  /// Makes room for a line of another kind.
  void clear();

 private:
  Board board_;
  bool on_terminal_;
  bool shown_ = false;
  std::int64_t first_step_, steps_;
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace bramble::train
