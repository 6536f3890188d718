// A graph made ready to run: planned, bound to kernels, in memory of its own.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/bind/bind.h"
#include "engine/memory.h"
#include "engine/step_record.h"
#include "engine/thread_pool.h"
#include "graph/graph.h"
#include "graph/plan.h"

namespace bramble::engine {

enum class MemoryMode {
  planned,   ///< tensors share one arena by liveness
  isolated,  ///< every tensor has memory of its own, filled with NaN before each run: what the plan is checked against
};

struct MemoryReport {
  std::size_t parameters = 0;   ///< bytes: parameters, buffers, the optimiser's state, inputs and kept results
  std::size_t activations = 0;  ///< bytes: the arena that activations and gradients share
  std::size_t scratch = 0;      ///< bytes: packing and partial sums, of all threads
  std::size_t total() const { return parameters + activations + scratch; }
};

/// What a node has to do at least.
struct NodeWork {
  double flops = 0;  ///< multiply-adds count 2; 0 when bound by memory
  double bytes = 0;  ///< every distinct tensor that it reads or writes, once
};

class Program {
 public:
  /// Plans, binds and allocates. Everything starts at zero. Activations and scratch lie in `lent` if they fit, another
  /// program's working_memory() while that does not run. Throws OutOfMemory.
  Program(graph::Graph graph, int threads, MemoryMode mode, std::span<std::byte> lent = {});

  /// Runs every node once, in order. Allocates nothing.
  void run() { run(0, steps_.size()); }
  /// Runs the nodes [first, last) only, what is before them having run.
  void run(std::size_t first, std::size_t last);

  /// Runs the nodes [0, last) and looks at what each has written: the first one that wrote a NaN or an infinity; `last` if
  /// none did. Slow.
  std::size_t find_not_finite(std::size_t last);

  /// A record with room for this program's steps.
  std::unique_ptr<StepRecord> make_record() const;
  /// From now on the nodes that run write their times into `record` (made by make_record()); with nullptr, none do.
  void record_into(StepRecord* record) { record_ = record; }

  const graph::Graph& graph() const { return graph_; }
  const MemoryReport& memory() const { return report_; }
  std::size_t allocated() const { return memory_.size(); }
  /// Where activations and scratch lie: nothing there lasts from one run to the next.
  std::span<std::byte> working_memory() const { return {arena_, report_.activations + report_.scratch}; }
  int threads() const { return pool_.threads(); }
  /// Multiply-adds count 2.
  double flops() const;
  NodeWork work(std::size_t node) const;

  /// An input's, persistent or kept tensor's memory.
  void* data(graph::TensorId id) const;

 private:
  struct Step {
    Bound bound;
    std::vector<void*> inputs, outputs;
  };

  void bind();
  void allocate(const graph::Plan& plan, std::span<std::byte> lent);
  void* locate(const graph::Plan& plan, graph::TensorId id) const;
  void resolve_operands(const graph::Plan& plan);
  void poison();
  void run_step(const Step& step);
  void run_recorded(StepRecord& record, std::size_t first, std::size_t last);

  graph::Graph graph_;
  MemoryMode mode_;
  ThreadPool pool_;
  CacheSizes caches_;
  MemoryReport report_;
  Memory memory_;
  std::vector<std::size_t> own_offsets_;  // of the tensors that have memory of their own
  std::byte* arena_ = nullptr;
  std::byte* shared_scratch_ = nullptr;
  std::byte* thread_scratch_ = nullptr;
  std::size_t thread_scratch_bytes_ = 0;  // each
  std::vector<Step> steps_;
  StepRecord* record_ = nullptr;
};

}  // namespace bramble::engine
