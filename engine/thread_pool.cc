#include "engine/thread_pool.h"

#include <pthreadpool.h>
#include <sched.h>

#include <algorithm>
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
  oversubscribed_ = threads_ > usable_cores();
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
  job_.body = body;
  job_.call = call;
  job_.tasks = tasks;
  job_.next.store(0, std::memory_order_relaxed);
  job_.started.store(true, std::memory_order_release);
  // pthreadpool divides a range evenly beforehand; taking tasks one by one evens out cores that were busy elsewhere.
  const auto slot_body = [](void* argument, std::size_t slot) {
    Job& job = *static_cast<Job*>(argument);
    (void)job.started.load(std::memory_order_acquire);
    for (std::int64_t task = job.next.fetch_add(1, std::memory_order_relaxed); task < job.tasks;
         task = job.next.fetch_add(1, std::memory_order_relaxed))
      job.call(job.body, task, static_cast<int>(slot));
    job.finished.fetch_add(1, std::memory_order_release);
  };
  // A worker spins while it waits for the next phase, which is soon; but not where it would keep another from a core.
  const std::uint32_t flags = oversubscribed_ ? PTHREADPOOL_FLAG_YIELD_WORKERS : 0;
  pthreadpool_parallelize_1d(pool_.get(), slot_body, &job_,
                             static_cast<std::size_t>(std::min<std::int64_t>(threads_, tasks)), flags);
  (void)job_.finished.load(std::memory_order_acquire);
}

}  // namespace bramble::engine
