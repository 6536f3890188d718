// When each task of one step ran, and on which thread: what profiles and traces are made of.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bramble::engine {

/// Nanoseconds of the steady clock.
inline std::int64_t nanoseconds_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

struct TaskTime {
  std::int64_t begin = 0, end = 0;
  int thread = 0;  ///< 0 is the caller's; the others are numbered as they come

  std::int64_t duration() const { return end - begin; }
};

struct PhaseRecord {
  std::size_t node = 0;        ///< in graph().nodes()
  int index = 0;               ///< of the node's phases
  std::size_t first_task = 0;  ///< in StepRecord::tasks
  std::size_t task_count = 0;
  std::int64_t begin = 0, end = 0;  ///< from handing out the first task to the last one's end, as the caller saw it
};

/// Made by Program::make_record() with all of its memory; a step overwrites the times of what it runs and
/// allocates nothing.
struct StepRecord {
  int threads = 1;
  std::int64_t begin = 0, end = 0;
  std::vector<PhaseRecord> phases;  ///< in the order they run
  std::vector<TaskTime> tasks;
  void (*before_phase)() = nullptr;  ///< called if set
  void (*before_task)() = nullptr;

  /// The calling thread's number, in [0, threads). The caller of Program::run() has to ask first.
  int this_thread() {
    struct Number {
      std::uint64_t record = 0;
      int value = 0;
    };
    thread_local Number number;
    if (number.record != id) number = {id, numbered.fetch_add(1, std::memory_order_relaxed)};
    return number.value;
  }

  const std::uint64_t id = next_id();  ///< a thread knows by it whether its number is this record's
  std::atomic<int> numbered{0};

 private:
  static std::uint64_t next_id() {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
  }
};

}  // namespace bramble::engine
