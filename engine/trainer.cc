#include "engine/trainer.h"

#include <algorithm>

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

/// A variance of 0 would be no start: PyTorch's is 1.
void initialise_buffers(const Program& program) {
  for (const std::string& name : names_of(program.graph(), Role::buffer))
    if (name.ends_with("running_var")) std::ranges::fill(values<float>(program, program.graph().find(name)), 1.0F);
}

}  // namespace

struct Trainer::Impl {
  graph::TrainingStep step;  // its graph has moved into the program
  Program program;
  std::int32_t next_step = 0;

  static graph::TrainingConfig config(const TrainerOptions& options) {
    return {options.trainable, options.sgd, options.label_smoothing, options.keep_gradients};
  }
  Impl(graph::Model model, const TrainerOptions& options)
      : step(graph::make_training_step(std::move(model), config(options))),
        program(std::move(step.graph), options.threads, options.memory) {
    initialise_buffers(program);
  }
};

Trainer::Trainer(graph::Model model, const TrainerOptions& options)
    : impl_(std::make_unique<Impl>(std::move(model), options)) {}
Trainer::~Trainer() = default;
Trainer::Trainer(Trainer&&) noexcept = default;

const MemoryReport& Trainer::memory() const { return impl_->program.memory(); }
int Trainer::threads() const { return impl_->program.threads(); }
double Trainer::flops_per_step() const { return impl_->program.flops(); }
std::span<float> Trainer::images() { return values<float>(impl_->program, impl_->step.images); }
std::span<std::int32_t> Trainer::labels() { return values<std::int32_t>(impl_->program, impl_->step.labels); }
void Trainer::set_learning_rate(float rate) { values<float>(impl_->program, impl_->step.learning_rate)[0] = rate; }

void Trainer::set_step(std::int32_t number) { impl_->next_step = number; }

float Trainer::step() {
  if (impl_->step.step != graph::kNoTensor)
    values<std::int32_t>(impl_->program, impl_->step.step)[0] = impl_->next_step;
  ++impl_->next_step;
  impl_->program.run();
  return values<float>(impl_->program, impl_->step.loss)[0];
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

struct Evaluator::Impl {
  graph::Model model;  // its graph has moved into the program
  Program program;

  Impl(graph::Model built, int threads, MemoryMode memory)
      : model(graph::make_inference(std::move(built))), program(std::move(model.graph), threads, memory) {
    initialise_buffers(program);
  }
};

Evaluator::Evaluator(graph::Model model, int threads, MemoryMode memory)
    : impl_(std::make_unique<Impl>(std::move(model), threads, memory)) {}
Evaluator::~Evaluator() = default;

std::span<float> Evaluator::images() { return values<float>(impl_->program, impl_->model.images); }
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
