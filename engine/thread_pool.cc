#include "engine/thread_pool.h"

#include <pthreadpool.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <string>

namespace bramble::engine {
namespace {

int usable_cores() {
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof cores, &cores) != 0) return 1;
  return std::max(1, CPU_COUNT(&cores));
}

}  // namespace

ThreadPool::ThreadPool(int threads) : threads_(threads > 0 ? threads : usable_cores()) {
  if (threads_ == 1) return;
  pool_.reset(pthreadpool_create(static_cast<std::size_t>(threads_)));
  if (!pool_) throw std::runtime_error("cannot start " + std::to_string(threads_) + " threads");
}

ThreadPool::~ThreadPool() = default;

void ThreadPool::Destroy::operator()(pthreadpool* pool) const { pthreadpool_destroy(pool); }

void ThreadPool::run_erased(std::int64_t tasks, void* body, Erased call) {
  if (!pool_ || tasks <= 1) {
    for (std::int64_t task = 0; task < tasks; ++task) call(body, task, 0);
    return;
  }
  struct Shared {
    void* body;
    Erased call;
    std::int64_t tasks;
    std::atomic<std::int64_t> next{0};
  } shared{body, call, tasks};
  // pthreadpool divides a range evenly beforehand; taking tasks one by one evens out cores that were busy elsewhere.
  const auto slot_body = [](void* argument, std::size_t slot) {
    auto& s = *static_cast<Shared*>(argument);
    for (std::int64_t task = s.next.fetch_add(1, std::memory_order_relaxed); task < s.tasks;
         task = s.next.fetch_add(1, std::memory_order_relaxed))
      s.call(s.body, task, static_cast<int>(slot));
  };
  pthreadpool_parallelize_1d(pool_.get(), slot_body, &shared,
                             static_cast<std::size_t>(std::min<std::int64_t>(threads_, tasks)), 0);
}

}  // namespace bramble::engine
