#include "engine/training/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace bramble::engine {

double learning_rate(const Schedule& schedule, std::int64_t update) {
  if (update < schedule.warmup)
    return schedule.rate * static_cast<double>(update + 1) / static_cast<double>(schedule.warmup);
  const std::int64_t past = update - schedule.warmup;
  const std::int64_t span = std::max<std::int64_t>(1, schedule.updates - schedule.warmup);
  switch (schedule.kind) {
    case ScheduleKind::constant:
      return schedule.rate;
    case ScheduleKind::cosine: {
      const double done = std::min(1.0, static_cast<double>(past) / static_cast<double>(span));
      return schedule.lowest + (schedule.rate - schedule.lowest) * 0.5 * (1 + std::cos(std::numbers::pi * done));
    }
    case ScheduleKind::step:
      return schedule.rate * std::pow(schedule.decay, static_cast<double>(past / schedule.decay_every));
  }
  return schedule.rate;
}

}  // namespace bramble::engine
