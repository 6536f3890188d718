// The learning rate of each update.
#pragma once

#include <cstdint>

namespace bramble::engine {

enum class ScheduleKind : std::uint8_t { constant, cosine, step };

struct Schedule {
  ScheduleKind kind = ScheduleKind::cosine;
  double rate = 0.01;            ///< the highest
  double lowest = 0;             ///< the cosine's end
  std::int64_t warmup = 0;       ///< updates in which the rate grows linearly from rate / warmup to rate
  std::int64_t updates = 1;      ///< of the whole run, warm-up included
  std::int64_t decay_every = 1;  ///< step: the updates (after warm-up) after each of which the rate is multiplied ...
  double decay = 0.1;            ///< ... by this
};

/// `update` counts from 0.
double learning_rate(const Schedule& schedule, std::int64_t update);

}  // namespace bramble::engine
