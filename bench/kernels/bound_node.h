// One graph node with its tensors, bound and run as the engine does: what is measured is what a training step runs,
// packing and scratch included.
#pragma once

#include <vector>

#include "bench/kernels/layers.h"
#include "engine/bind/bind.h"
#include "engine/thread_pool.h"

namespace bramble::bench {

class BoundNode {
 public:
  /// Inputs get random values below one. Outputs that nobody reads are absent.
  explicit BoundNode(const Layer& layer);

  void run();

 private:
  void* allocate(const graph::TensorSpec& spec);

  engine::ThreadPool pool_;
  graph::Graph graph_;
  engine::Bound bound_;
  std::vector<std::vector<float>> memory_;
  std::vector<void*> inputs_, outputs_;
  std::byte* shared_ = nullptr;
  std::byte* thread_ = nullptr;
  std::size_t thread_bytes_ = 0;
};

}  // namespace bramble::bench
