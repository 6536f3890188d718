// bench_models --trace: the timed steps as a file for chrome://tracing or ui.perfetto.dev, one row a thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/program.h"

namespace bramble::bench {

class Trace {
 public:
  /// Throws engine::FileError if the file cannot be written. An empty path: no trace.
  explicit Trace(std::filesystem::path path);

  bool wanted() const { return !path_.empty(); }

  /// A model and task: a process of its own in the trace. Makes the memory for the steps to come.
  void begin_run(const std::string& title, const engine::Program& program, const engine::StepRecord& record, int steps);
  /// After a step. Allocates nothing; a step that no longer fits is left out, and so is every later one.
  void add(const engine::StepRecord& record);

  /// What there is, under the path. Returns how many steps were left out.
  int save() const;

 private:
  /// What one thread did of one phase: from its first task's start to its last one's end.
  struct Event {
    std::size_t phase = 0;
    std::int64_t begin = 0, end = 0;
    std::size_t tasks = 0, first = 0, last = 0;
    int thread = 0;
  };
  struct Phase {
    std::string layer, op;
    int index = 0;
    std::size_t tasks = 0;
  };
  struct Run {
    std::string title;
    int threads = 1;
    std::vector<Phase> phases;
    std::vector<Event> events;
    std::vector<Event> by_thread;   ///< of the phase at hand
    std::size_t events_a_step = 0;  ///< at most
  };

  std::string event_text(const Run& run, std::size_t process, const Event& event) const;

  std::filesystem::path path_;
  std::vector<Run> runs_;
  std::size_t events_left_;
  std::int64_t start_ = -1;
  int left_out_ = 0;
};

}  // namespace bramble::bench
