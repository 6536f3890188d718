#include "engine/trainer.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "engine/layout.h"

namespace bramble::engine {
namespace {

using graph::Role;
using graph::TensorId;

std::vector<std::string> names_of(const graph::Graph& graph, Role role) {
  std::vector<std::string> names;
  for (const graph::Tensor& tensor : graph.tensors())
    if (tensor.role == role) names.push_back(tensor.name);
  return names;
}

TensorId find_value(const graph::Graph& graph, const std::string& name) {
  const TensorId id = graph.find(name);
  if (id == graph::kNoTensor) throw graph::GraphError("the model has no parameter or buffer '" + name + "'");
  return id;
}

template <class T>
std::span<T> values(const Program& program, TensorId id) {
  return {static_cast<T*>(program.data(id)), storage_elements(program.graph().tensor(id).spec)};
}

std::vector<float> export_value(const Program& program, const graph::TensorSpec& spec, TensorId id) {
  std::vector<float> torch(static_cast<std::size_t>(graph::element_count(spec.shape)));
  export_torch(spec, values<float>(program, id), torch);
  return torch;
}

void import_value(const Program& program, const std::string& name, std::span<const float> torch) {
  const TensorId id = find_value(program.graph(), name);
  import_torch(program.graph().tensor(id).spec, torch, values<float>(program, id));
}

/// By the exponent's bits, without a branch: a loop for vectors.
bool all_finite(std::span<const float> floats) {
  constexpr std::uint32_t kExponent = 0x7f800000;
  std::uint32_t bad = 0;
  for (const float value : floats)
    bad |= static_cast<std::uint32_t>((std::bit_cast<std::uint32_t>(value) & kExponent) == kExponent);
  return bad == 0;
}

/// A variance of 0 would be no start: PyTorch's is 1.
void initialise_buffers(const Program& program) {
  for (const std::string& name : names_of(program.graph(), Role::buffer))
    if (name.ends_with("running_var")) std::ranges::fill(values<float>(program, program.graph().find(name)), 1.0F);
}

}  // namespace

struct Trainer::Impl {
  graph::TrainingStep step;  // its graph has moved into the program
  Program program;
  TrainerOptions options;
  std::int64_t steps = 0;
  std::vector<float> statistics;  // the buffers, as they were before the forward

  static graph::TrainingConfig config(const TrainerOptions& options) {
    return {.trainable = options.trainable,
            .optimizer = options.optimizer,
            .label_smoothing = options.label_smoothing,
            .mixed_labels = options.mixed_labels,
            .keep_gradients = options.keep_gradients,
            .clip_norm = options.clip_norm,
            .accumulate = options.accumulate > 1,
            .average = options.average_decay > 0};
  }

  /// What kernels read at each step besides the data.
  void set_inputs() const {
    if (step.step != graph::kNoTensor) values<std::int32_t>(program, step.step)[0] = static_cast<std::int32_t>(steps);
    const std::int64_t of_sum = steps % options.accumulate;
    const auto set = [&](TensorId id, float first, float second) {
      if (id == graph::kNoTensor) return;
      const std::span<float> target = values<float>(program, id);
      target[0] = first;
      target[1] = second;
    };
    set(step.sum_weights, of_sum == 0 ? 0.0F : 1.0F, 1.0F / static_cast<float>(options.accumulate));
    set(step.average_weights, options.average_decay, 1.0F - options.average_decay);
    const auto update = static_cast<double>(steps / options.accumulate + 1);
    const auto correction = [&](float beta) { return static_cast<float>(1 - std::pow(double{beta}, update)); };
    set(step.corrections, correction(options.optimizer.beta1), correction(options.optimizer.beta2));
  }

  Impl(graph::Model model, const TrainerOptions& given)
      : step(graph::make_training_step(std::move(model), config(given))),
        program(std::move(step.graph), given.threads, given.memory),
        options(given) {
    initialise_buffers(program);
    std::size_t count = 0;
    for_each_buffer([&](std::span<float> buffer) { count += buffer.size(); });
    statistics.resize(count);
  }

  template <class Take>
  void for_each_buffer(Take take) const {
    const std::vector<graph::Tensor>& tensors = program.graph().tensors();
    for (std::size_t id = 0; id < tensors.size(); ++id)
      if (tensors[id].role == Role::buffer) take(values<float>(program, static_cast<TensorId>(id)));
  }
  void save_statistics() {
    auto next = statistics.begin();
    for_each_buffer([&](std::span<float> buffer) { next = std::ranges::copy(buffer, next).out; });
  }
  void restore_statistics() const {
    auto next = statistics.begin();
    for_each_buffer([&](std::span<float> buffer) {
      std::copy_n(next, buffer.size(), buffer.begin());
      next += static_cast<std::ptrdiff_t>(buffer.size());
    });
  }

  float loss() const { return values<float>(program, step.loss)[0]; }
};

Trainer::Trainer(graph::Model model, const TrainerOptions& options)
    : impl_(std::make_unique<Impl>(std::move(model), options)) {}
Trainer::~Trainer() = default;
Trainer::Trainer(Trainer&&) noexcept = default;

const MemoryReport& Trainer::memory() const { return impl_->program.memory(); }
std::span<std::byte> Trainer::working_memory() { return impl_->program.working_memory(); }
int Trainer::threads() const { return impl_->program.threads(); }
double Trainer::flops_per_step() const { return impl_->program.flops(); }
std::span<float> Trainer::images() { return values<float>(impl_->program, impl_->step.images); }
std::span<std::int32_t> Trainer::labels() { return values<std::int32_t>(impl_->program, impl_->step.labels); }
std::span<std::int32_t> Trainer::other_labels() {
  return values<std::int32_t>(impl_->program, impl_->step.other_labels);
}
std::span<float> Trainer::label_shares() { return values<float>(impl_->program, impl_->step.label_shares); }
void Trainer::set_learning_rate(float rate) { values<float>(impl_->program, impl_->step.learning_rate)[0] = rate; }

float Trainer::step() {
  Impl& self = *impl_;
  self.set_inputs();
  if (self.options.guard) self.save_statistics();
  self.program.run(0, self.step.loss_end);
  if (self.options.guard && !std::isfinite(self.loss())) {
    self.restore_statistics();
    return self.loss();
  }
  const bool updates = ++self.steps % self.options.accumulate == 0;
  self.program.run(self.step.loss_end, updates ? self.program.graph().nodes().size() : self.step.first_update);
  return self.loss();
}

std::string Trainer::parameter_not_finite() const {
  const std::vector<graph::Tensor>& tensors = impl_->program.graph().tensors();
  for (auto id = static_cast<TensorId>(tensors.size() - 1); id >= 0; --id) {
    const graph::Tensor& tensor = tensors[static_cast<std::size_t>(id)];
    if (tensor.role != Role::parameter || !impl_->step.gradients.contains(id)) continue;
    if (!all_finite(values<float>(impl_->program, id))) return tensor.name;
  }
  return "";
}

std::string Trainer::value_not_finite() const {
  const graph::Graph& graph = impl_->program.graph();
  for (const Role role : {Role::parameter, Role::buffer, Role::state})
    for (const std::string& name : names_of(graph, role))
      if (!all_finite(values<float>(impl_->program, graph.find(name)))) return name;
  return "";
}

std::string Trainer::find_not_finite() {
  if (const std::string parameter = parameter_not_finite(); !parameter.empty()) return "parameter '" + parameter + "'";
  Impl& self = *impl_;
  self.set_inputs();
  self.save_statistics();
  const std::size_t node = self.program.find_not_finite(self.step.loss_end);
  self.restore_statistics();
  if (node == self.step.loss_end) return "";
  const graph::Node& found = self.program.graph().nodes()[node];
  return "the output of layer '" + found.name + "' (" + std::string(found.op->name()) + ")";
}

const Program& Trainer::program() const { return impl_->program; }
void Trainer::record_into(StepRecord* record) { impl_->program.record_into(record); }

std::span<const float> Trainer::logits() const { return values<float>(impl_->program, impl_->step.logits); }
std::vector<std::string> Trainer::parameter_names() const { return names_of(impl_->program.graph(), Role::parameter); }
std::vector<std::string> Trainer::buffer_names() const { return names_of(impl_->program.graph(), Role::buffer); }

graph::Shape Trainer::shape_of(const std::string& name) const {
  return impl_->program.graph().tensor(find_value(impl_->program.graph(), name)).spec.shape;
}

std::vector<float> Trainer::value(const std::string& name) const {
  const TensorId id = find_value(impl_->program.graph(), name);
  return export_value(impl_->program, impl_->program.graph().tensor(id).spec, id);
}

void Trainer::set_value(const std::string& name, std::span<const float> torch) {
  import_value(impl_->program, name, torch);
}

std::vector<float> Trainer::gradient(const std::string& name) const {
  const TensorId parameter = find_value(impl_->program.graph(), name);
  const auto found = impl_->step.gradients.find(parameter);
  if (found == impl_->step.gradients.end())
    throw graph::GraphError("'" + name + "' is not trained: it has no gradient");
  return export_value(impl_->program, impl_->program.graph().tensor(parameter).spec, found->second);
}

std::vector<float> Trainer::average(const std::string& name) const {
  const std::string averaged = graph::average_name(name);
  return value(impl_->program.graph().find(averaged) == graph::kNoTensor ? name : averaged);
}

void Trainer::start_averages() {
  const graph::Graph& graph = impl_->program.graph();
  for (const Role role : {Role::parameter, Role::buffer})
    for (const std::string& name : names_of(graph, role))
      if (graph.find(graph::average_name(name)) != graph::kNoTensor) set_value(graph::average_name(name), value(name));
}

std::vector<std::string> Trainer::state_names() const { return names_of(impl_->program.graph(), Role::state); }
std::int64_t Trainer::steps() const { return impl_->steps; }
void Trainer::set_steps(std::int64_t steps) { impl_->steps = steps; }

struct Evaluator::Impl {
  graph::Model model;  // its graph has moved into the program
  Program program;

  Impl(graph::Model built, int threads, MemoryMode memory, std::span<std::byte> lent)
      : model(graph::make_inference(std::move(built))), program(std::move(model.graph), threads, memory, lent) {
    initialise_buffers(program);
  }
};

Evaluator::Evaluator(graph::Model model, int threads, MemoryMode memory, std::span<std::byte> lent)
    : impl_(std::make_unique<Impl>(std::move(model), threads, memory, lent)) {}
Evaluator::~Evaluator() = default;
Evaluator::Evaluator(Evaluator&&) noexcept = default;

std::span<float> Evaluator::images() { return values<float>(impl_->program, impl_->model.images); }
std::size_t Evaluator::memory_of_its_own() const { return impl_->program.allocated(); }
void Evaluator::run() { impl_->program.run(); }
std::span<const float> Evaluator::logits() const { return values<float>(impl_->program, impl_->model.logits); }
void Evaluator::set_value(const std::string& name, std::span<const float> torch) {
  import_value(impl_->program, name, torch);
}
std::vector<std::string> Evaluator::parameter_names() const {
  return names_of(impl_->program.graph(), Role::parameter);
}
std::vector<std::string> Evaluator::buffer_names() const { return names_of(impl_->program.graph(), Role::buffer); }
graph::Shape Evaluator::shape_of(const std::string& name) const {
  return impl_->program.graph().tensor(find_value(impl_->program.graph(), name)).spec.shape;
}

}  // namespace bramble::engine
