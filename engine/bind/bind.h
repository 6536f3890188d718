// From a graph's node to kernels: how the work is cut into tasks and which scratch it needs. Each engine/bind/<op>.cc
// defines bind functions; bind.cc lists them by op name. Nothing here may depend on the number of threads: a task is
// cut by shape alone, so that results are the same bits for any number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "graph/ops/with_update.h"

namespace bramble::engine {

/// Bytes; from cpuinfo, or the Pi 5's when unknown. One core's L1D and L2, all cores' L3.
struct CacheSizes {
  std::size_t l1d = 64 << 10;
  std::size_t l2 = 512 << 10;
  std::size_t l3 = 2 << 20;
};

/// Where a node's tensors lie while it runs. An absent input, or an output that nobody reads, is nullptr.
struct Operands {
  std::span<void* const> inputs;
  std::span<void* const> outputs;
  std::byte* shared = nullptr;  ///< the node's shared scratch (64-byte aligned), alive through all of its phases

  template <class T>
  const T* in(int i) const {
    return static_cast<const T*>(inputs[static_cast<std::size_t>(i)]);
  }
  template <class T>
  T* mutable_in(int i) const {
    return static_cast<T*>(inputs[static_cast<std::size_t>(i)]);
  }
  template <class T>
  T* out(int i) const {
    return static_cast<T*>(outputs[static_cast<std::size_t>(i)]);
  }
};

/// `tasks` independent calls that threads take as they come; all are done before the next phase begins.
/// `thread_scratch` (64-byte aligned) belongs to the call while it runs and holds nothing before or after.
struct Phase {
  std::int64_t tasks = 1;
  std::function<void(const Operands&, std::int64_t task, std::byte* thread_scratch)> run;
};

struct Bound {
  std::vector<Phase> phases;
  std::size_t shared_scratch = 0;  ///< bytes
  std::size_t thread_scratch = 0;  ///< bytes, each thread
};

class BindContext {
 public:
  BindContext(const graph::Graph& graph, const graph::Node& node, const CacheSizes& cache_sizes,
              std::span<const bool> output_is_read)
      : caches(cache_sizes),
        graph_(graph),
        node_(node),
        update_(dynamic_cast<const graph::WithUpdate*>(node.op.get())),
        op_(update_ ? *update_->gradient : *node.op),
        inputs_(update_ ? static_cast<int>(update_->gradient_inputs) : static_cast<int>(node.inputs.size())),
        output_is_read_(output_is_read) {}

  const CacheSizes& caches;

  /// With an update (graph/ops/with_update.h): the gradient's op; the update's inputs lie from inputs() on.
  template <class T>
  const T& op() const {
    return static_cast<const T&>(op_);
  }
  const graph::Op* update() const { return update_ ? update_->update.get() : nullptr; }
  int inputs() const { return inputs_; }
  bool has_input(int i) const { return i < inputs() && is_given(i); }
  bool has_update_input(int i) const { return is_given(inputs() + i); }
  /// False: nobody reads it, its operand is nullptr and need not be computed; or it is a view, and there already.
  bool has_output(int i) const { return output_is_read_[static_cast<std::size_t>(i)]; }
  const graph::TensorSpec& input(int i) const {
    return graph_.tensor(node_.inputs.at(static_cast<std::size_t>(i))).spec;
  }
  const graph::TensorSpec& output(int i) const {
    return graph_.tensor(node_.outputs.at(static_cast<std::size_t>(i))).spec;
  }

 private:
  bool is_given(int i) const {
    const auto at = static_cast<std::size_t>(i);
    return at < node_.inputs.size() && node_.inputs[at] != graph::kNoTensor;
  }

  const graph::Graph& graph_;
  const graph::Node& node_;
  const graph::WithUpdate* update_;
  const graph::Op& op_;
  int inputs_;
  std::span<const bool> output_is_read_;
};

using BindFunction = Bound (*)(const BindContext&);

/// The bind function for an op's name. Throws std::logic_error for a name that none registered.
BindFunction find_bind(std::string_view op_name);

}  // namespace bramble::engine
