// bench_models --profile: where the time of the timed steps went, by op and by layer.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bench/bench_models_machine.h"
#include "engine/program.h"

namespace bramble::bench {

/// Nanoseconds from start to end of `tasks` (durations) on `cores` equal cores that take them one by one in order.
std::int64_t dealt_time(std::span<const std::int64_t> tasks, int cores);

class Profile {
 public:
  /// Makes all of its memory.
  explicit Profile(const engine::Program& program, const engine::StepRecord& record);

  /// After a step: its record, and its seconds with the waiting for the images.
  void add(const engine::StepRecord& record, double seconds);

  /// Sums by op, then every node, longest first. On a Pi 5 with shares of its roofline.
  std::string report(const std::string& title, Board board) const;

 private:
  struct NodeTimes {
    std::string op{}, layer{};
    engine::NodeWork work{};
    std::size_t count = 0;      ///< nodes summed here
    std::int64_t wall = 0;      ///< of all steps; from its first phase's start to the next node's
    std::int64_t busiest = 0;   ///< of all steps: each phase's busiest thread
    std::int64_t busy = 0;      ///< of all steps and threads
    double dealt = 0;           ///< of one step, the tasks' shortest times dealt to four cores
    double shortest_tasks = 0;  ///< of one step, the tasks' shortest times

    NodeTimes& operator+=(const NodeTimes& other);
  };

  std::vector<NodeTimes> nodes() const;
  std::vector<std::string> line(const NodeTimes& node, Board board) const;

  const engine::Program& program_;
  std::vector<engine::PhaseRecord> phases_;
  std::vector<std::int64_t> shortest_;  ///< by task
  std::vector<std::int64_t> busy_;      ///< by thread, of the phase at hand
  std::vector<NodeTimes> nodes_;        ///< by node of the graph
  int steps_ = 0;
  double seconds_ = 0;
  std::int64_t inside_ = 0;  ///< nanoseconds of the steps themselves
};

}  // namespace bramble::bench
