// Threads over pthreadpool: tasks are handed out as they come, and each running thread has a slot of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <type_traits>

struct pthreadpool;

namespace bramble::engine {

class ThreadPool {
 public:
  /// 0: one thread for each core that this process may run on. The caller's thread is one of them.
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return threads_; }

  /// Implements a parallel version of
  ///   for (task = 0; task < tasks; task++) body(task, slot);
  /// where slot is in [0, threads()) and no two calls run with the same slot at once. Returns when all are done.
  /// Allocates nothing.
  template <class Body>
  void run(std::int64_t tasks, Body&& body) {
    run_erased(tasks, &body, [](void* erased, std::int64_t task, int slot) {
      (*static_cast<std::remove_reference_t<Body>*>(erased))(task, slot);
    });
  }

 private:
  using Erased = void (*)(void* body, std::int64_t task, int slot);
  void run_erased(std::int64_t tasks, void* body, Erased call);

  /// What run() is at. `started` and `finished` repeat the order that pthreadpool guarantees by itself, for
  /// ThreadSanitizer, which cannot see into that library; for the same reason this is no local of run().
  struct Job {
    void* body = nullptr;
    Erased call = nullptr;
    std::int64_t tasks = 0;
    std::atomic<std::int64_t> next{0};
    std::atomic<bool> started{false};
    std::atomic<std::uint64_t> finished{0};
  };

  struct Destroy {
    void operator()(pthreadpool* pool) const;
  };
  int threads_ = 1;
  bool oversubscribed_ = false;  // more threads than cores
  Job job_;  // before the threads that read it
  std::unique_ptr<pthreadpool, Destroy> pool_;  // none for one thread
};

}  // namespace bramble::engine
