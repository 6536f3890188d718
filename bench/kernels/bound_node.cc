#include "bench/kernels/bound_node.h"

#include <cstdint>
#include <memory>

#include "bench/kernels/measure.h"
#include "engine/layout.h"
#include "engine/machine.h"
#include "tests/support/random.h"

namespace bramble::bench {
namespace {

constexpr std::size_t kAlignment = 64;

std::byte* aligned(std::vector<float>& memory, std::size_t bytes) {
  memory.resize((bytes + kAlignment) / sizeof(float));
  const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
  return reinterpret_cast<std::byte*>((address + kAlignment - 1) / kAlignment * kAlignment);
}

}  // namespace

BoundNode::BoundNode(const Layer& layer) : pool_(options().threads) {
  std::vector<graph::TensorId> ids;
  for (const graph::TensorSpec& spec : layer.inputs) {
    const bool absent = spec.shape.empty();
    ids.push_back(absent ? graph::kNoTensor
                         : graph_.add_tensor({"input" + std::to_string(ids.size()), spec, graph::Role::input}));
    inputs_.push_back(absent ? nullptr : allocate(spec));
  }
  graph_.add_node(layer.op, "node", ids);
  const graph::Node& node = graph_.nodes().front();
  const std::size_t outputs = node.outputs.size();
  const auto output_is_read = std::make_unique<bool[]>(outputs);
  for (std::size_t i = 0; i < outputs; ++i) {
    graph_.mutable_tensor(node.outputs[i]).spec = layer.outputs[i];
    output_is_read[i] = layer.read[i] != 0;
    outputs_.push_back(output_is_read[i] ? allocate(layer.outputs[i]) : nullptr);
  }
  const engine::CacheSizes caches = engine::detect_caches();
  bound_ = engine::find_bind(node.op->name())(
      engine::BindContext(graph_, node, caches, std::span<const bool>(output_is_read.get(), outputs)));
  thread_bytes_ = (bound_.thread_scratch + kAlignment - 1) / kAlignment * kAlignment;
  shared_ = aligned(memory_.emplace_back(), bound_.shared_scratch);
  thread_ = aligned(memory_.emplace_back(), thread_bytes_ * static_cast<std::size_t>(pool_.threads()));
}

void* BoundNode::allocate(const graph::TensorSpec& spec) {
  const std::size_t elements = engine::storage_elements(spec);
  auto& memory = memory_.emplace_back();
  std::byte* start = aligned(memory, engine::storage_bytes(spec));
  if (spec.dtype != graph::DType::f32) return start;  // labels and taps: 0 is one
  const auto values = test::uniform(elements, memory_.size());
  std::copy(values.begin(), values.end(), reinterpret_cast<float*>(start));
  return start;
}

void BoundNode::run() {
  const engine::Operands operands{inputs_, outputs_, shared_};
  for (const engine::Phase& phase : bound_.phases) {
    pool_.run(phase.tasks, [&](std::int64_t task, int slot) {
      phase.run(operands, task, thread_ + static_cast<std::size_t>(slot) * thread_bytes_);
    });
  }
}

}  // namespace bramble::bench
