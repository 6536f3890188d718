#include "engine/program.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <set>
#include <stdexcept>

#include "engine/layout.h"
#include "engine/machine.h"

namespace bramble::engine {
namespace {

constexpr std::size_t kLine = 64;
/// Each tensor of its own and each thread's scratch begins on a page, so that no two share a cache line or a TLB entry
/// for nothing.
constexpr std::size_t kPage = 4096;

std::size_t round_up(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }

std::vector<bool> tensors_read(const graph::Graph& graph) {
  std::vector<bool> read(graph.tensors().size(), false);
  for (const graph::Node& node : graph.nodes())
    for (const graph::TensorId id : node.inputs)
      if (id != graph::kNoTensor) read[static_cast<std::size_t>(id)] = true;
  for (const graph::TensorId id : graph.kept()) read[static_cast<std::size_t>(id)] = true;
  return read;
}

}  // namespace

Program::Program(graph::Graph graph, int threads, MemoryMode mode, std::span<std::byte> lent)
    : graph_(std::move(graph)), mode_(mode), pool_(threads), caches_(detect_caches()) {
  bind();
  const graph::Plan plan = graph::plan_memory(graph_, storage_bytes, mode_ == MemoryMode::planned);
  allocate(plan, lent);
  resolve_operands(plan);
}

void Program::bind() {
  const std::vector<bool> read = tensors_read(graph_);
  for (const graph::Node& node : graph_.nodes()) {
    const auto output_is_read = std::make_unique<bool[]>(node.outputs.size());
    bool runs = !node.op->mutated_inputs().empty();
    for (std::size_t o = 0; o < node.outputs.size(); ++o) {
      const bool is_view = node.op->is_view(static_cast<int>(o));
      output_is_read[o] = !is_view && read[static_cast<std::size_t>(node.outputs[o])];
      runs = runs || output_is_read[o];
    }
    const BindContext context(graph_, node, caches_, {output_is_read.get(), node.outputs.size()});
    steps_.push_back({runs ? find_bind(node.op->name())(context) : Bound{}, {}, {}});
  }
}

void Program::allocate(const graph::Plan& plan, std::span<std::byte> lent) {
  own_offsets_.assign(graph_.tensors().size(), 0);
  std::size_t own = 0;
  for (std::size_t id = 0; id < own_offsets_.size(); ++id) {
    if (plan.placements[id].where != graph::Placement::Where::own) continue;
    own_offsets_[id] = own;
    own += round_up(storage_bytes(graph_.tensors()[id].spec), kLine);
  }
  for (std::size_t id = 0; id < own_offsets_.size(); ++id)
    if (plan.placements[id].where == graph::Placement::Where::view_of)
      own_offsets_[id] =
          own_offsets_[static_cast<std::size_t>(plan.placements[id].target)] + plan.placements[id].offset;
  std::size_t shared = 0;
  for (const Step& step : steps_) {
    shared = std::max(shared, step.bound.shared_scratch);
    thread_scratch_bytes_ = std::max(thread_scratch_bytes_, step.bound.thread_scratch);
  }
  own = round_up(own, kPage);
  shared = round_up(shared, kPage);
  thread_scratch_bytes_ = round_up(thread_scratch_bytes_, kPage);
  const std::size_t arena = round_up(plan.arena_bytes, kPage);
  report_ = {own, arena, shared + thread_scratch_bytes_ * static_cast<std::size_t>(pool_.threads())};
  const bool borrows = !lent.empty() && report_.activations + report_.scratch <= lent.size();
  memory_ = Memory(borrows ? own : report_.total());
  arena_ = borrows ? lent.data() : memory_.data() + own;
  shared_scratch_ = arena_ + arena;
  thread_scratch_ = shared_scratch_ + shared;
}

void* Program::locate(const graph::Plan& plan, graph::TensorId id) const {
  if (id == graph::kNoTensor) return nullptr;
  const graph::Placement& placement = plan.placements[static_cast<std::size_t>(id)];
  switch (placement.where) {
    case graph::Placement::Where::nowhere:
      return nullptr;
    case graph::Placement::Where::own:
      return memory_.data() + own_offsets_[static_cast<std::size_t>(id)];
    case graph::Placement::Where::arena:
      return arena_ + placement.offset;
    case graph::Placement::Where::view_of:
      return static_cast<std::byte*>(locate(plan, placement.target)) + placement.offset;
  }
  return nullptr;
}

void Program::resolve_operands(const graph::Plan& plan) {
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    for (const graph::TensorId id : graph_.nodes()[i].inputs) steps_[i].inputs.push_back(locate(plan, id));
    for (const graph::TensorId id : graph_.nodes()[i].outputs) steps_[i].outputs.push_back(locate(plan, id));
  }
}

void Program::poison() {
  // All ones is a NaN: a value read before it was written, in this run, cannot pass unnoticed.
  std::memset(arena_, 0xff, report_.activations + report_.scratch);
}

void Program::run_step(const Step& step) {
  const Operands operands{step.inputs, step.outputs, shared_scratch_};
  for (const Phase& phase : step.bound.phases)
    pool_.run(phase.tasks, [&](std::int64_t task, int slot) {
      phase.run(operands, task, thread_scratch_ + static_cast<std::size_t>(slot) * thread_scratch_bytes_);
    });
}

void Program::run(std::size_t first, std::size_t last) {
  if (mode_ == MemoryMode::isolated && first == 0) poison();
  if (record_) return run_recorded(*record_, first, last);
  for (std::size_t node = first; node < last; ++node) run_step(steps_[node]);
}

std::size_t Program::find_not_finite(std::size_t last) {
  std::memset(arena_, 0, report_.activations);  // what a kernel leaves unwritten between rows is not looked for
  for (std::size_t node = 0; node < last; ++node) {
    run_step(steps_[node]);
    for (std::size_t o = 0; o < steps_[node].outputs.size(); ++o) {
      const graph::TensorSpec& spec = graph_.tensor(graph_.nodes()[node].outputs[o]).spec;
      const auto* values = static_cast<const float*>(steps_[node].outputs[o]);
      if (values == nullptr || spec.dtype != graph::DType::f32) continue;
      if (!std::all_of(values, values + storage_elements(spec), [](float value) { return std::isfinite(value); }))
        return node;
    }
  }
  return last;
}

void Program::run_recorded(StepRecord& record, std::size_t first, std::size_t last) {
  record.this_thread();  // so that the caller's is number 0
  if (first == 0) record.begin = nanoseconds_now();
  auto next = std::ranges::find_if(record.phases, [&](const PhaseRecord& phase) { return phase.node >= first; });
  for (std::size_t node = first; node < last; ++node) {
    const Step& step = steps_[node];
    const Operands operands{step.inputs, step.outputs, shared_scratch_};
    for (const Phase& phase : step.bound.phases) {
      PhaseRecord& times = *next++;
      if (record.before_phase) record.before_phase();
      times.begin = nanoseconds_now();
      pool_.run(phase.tasks, [&](std::int64_t task, int slot) {
        if (record.before_task) record.before_task();
        const std::int64_t begin = nanoseconds_now();
        phase.run(operands, task, thread_scratch_ + static_cast<std::size_t>(slot) * thread_scratch_bytes_);
        record.tasks[times.first_task + static_cast<std::size_t>(task)] = {begin, nanoseconds_now(),
                                                                           record.this_thread()};
      });
      times.end = nanoseconds_now();
    }
  }
  record.end = nanoseconds_now();
}

std::unique_ptr<StepRecord> Program::make_record() const {
  auto record = std::make_unique<StepRecord>();
  record->threads = threads();
  std::size_t tasks = 0;
  for (std::size_t node = 0; node < steps_.size(); ++node) {
    for (const Phase& phase : steps_[node].bound.phases) {
      const auto index = static_cast<int>(&phase - steps_[node].bound.phases.data());
      record->phases.push_back({node, index, tasks, static_cast<std::size_t>(phase.tasks)});
      tasks += static_cast<std::size_t>(phase.tasks);
    }
  }
  record->tasks.resize(tasks);
  return record;
}

double Program::flops() const {
  double total = 0;
  for (std::size_t node = 0; node < steps_.size(); ++node) total += work(node).flops;
  return total;
}

NodeWork Program::work(std::size_t index) const {
  const graph::Node& node = graph_.nodes()[index];
  std::vector<graph::TensorSpec> inputs, outputs;
  std::set<graph::TensorId> counted;
  double bytes = 0;
  // An output that nobody reads has no memory.
  const auto take = [&](graph::TensorId id, const void* where, std::vector<graph::TensorSpec>& specs) {
    specs.push_back(id == graph::kNoTensor ? graph::TensorSpec{} : graph_.tensor(id).spec);
    if (where && counted.insert(id).second) bytes += static_cast<double>(storage_bytes(specs.back()));
  };
  for (std::size_t i = 0; i < node.inputs.size(); ++i) take(node.inputs[i], steps_[index].inputs[i], inputs);
  for (std::size_t i = 0; i < node.outputs.size(); ++i) take(node.outputs[i], steps_[index].outputs[i], outputs);
  return {node.op->flops(inputs, outputs), bytes};
}

void* Program::data(graph::TensorId id) const {
  const graph::Tensor& tensor = graph_.tensor(id);
  const bool kept = std::find(graph_.kept().begin(), graph_.kept().end(), id) != graph_.kept().end();
  if (!tensor.persistent() && tensor.role != graph::Role::input && !kept)
    throw std::logic_error("the value of '" + tensor.name + "' does not outlive its step");
  return memory_.data() + own_offsets_[static_cast<std::size_t>(id)];
}

}  // namespace bramble::engine
