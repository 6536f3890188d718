// What a run begins from: options to a planned trainer, its schedule, its first values.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fnmatch.h>

#include <algorithm>
#include <cmath>

#include "models/initialise.h"
#include "tools/cli/program.h"
#include "tools/train/derived_tensors.h"
#include "tools/train/session.h"

namespace bramble::train {
namespace {

std::vector<std::string> parameters_of(const graph::Graph& graph) {
  std::vector<std::string> names;
  for (const graph::Tensor& tensor : graph.tensors())
    if (tensor.role == graph::Role::parameter) names.push_back(tensor.name);
  return names;
}

/// The parameters that match one of the globs. Throws cli::UsageError for a glob that matches none.
std::vector<std::string> matching(const std::vector<std::string>& names, const std::vector<std::string>& globs) {
  std::vector<std::string> found;
  for (const std::string& glob : globs) {
    const std::size_t before = found.size();
    for (const std::string& name : names)
      if (fnmatch(glob.c_str(), name.c_str(), 0) == 0 && std::find(found.begin(), found.end(), name) == found.end())
        found.push_back(name);
    if (found.size() == before) throw cli::UsageError("--trainable " + glob + " matches no further parameter");
  }
  return found;
}

}  // namespace

engine::TrainerOptions Session::trainer_options(const graph::Model& model) const {
  engine::TrainerOptions result;
  if (options_.head_only) result.trainable = models::find_model(options_.model).head_keys;
  if (!options_.trainable.empty()) result.trainable = matching(parameters_of(model.graph), options_.trainable);
  graph::OptimizerConfig& optimizer = result.optimizer;
  optimizer.weight_decay = static_cast<float>(options_.weight_decay);
  optimizer.momentum = static_cast<float>(options_.momentum);
  optimizer.nesterov = options_.nesterov;
  optimizer.decays = graph::is_weight_matrix;
  if (options_.optimizer == "adamw") optimizer.kind = graph::OptimizerKind::adamw;
  if (options_.optimizer == "lion") {
    optimizer.kind = graph::OptimizerKind::lion;
    optimizer.beta2 = 0.99F;
  }
  result.label_smoothing = static_cast<float>(options_.label_smoothing);
  result.mixed_labels = options_.mixup > 0;
  result.clip_norm = static_cast<float>(options_.clip_grad);
  result.accumulate = options_.accumulate;
  result.guard = true;
  result.average_decay = static_cast<float>(options_.ema);
  result.threads = options_.threads;
  return result;
}

engine::Trainer Session::make_trainer() const {
  const auto classes = static_cast<std::int64_t>(description_.classes.size());
  const auto plan = [&](std::int64_t batch) {
    graph::Model model = models::build_model(models::find_model(options_.model),
                                             {.batch = batch,
                                              .size = options_.size,
                                              .classes = classes,
                                              .frozen_batchnorm = options_.bn == "frozen",
                                              .drop_rate = static_cast<float>(options_.drop_rate),
                                              .drop_path_rate = static_cast<float>(options_.drop_path),
                                              .seed = options_.seed});
    const engine::TrainerOptions trainer_options_of_model = trainer_options(model);
    return engine::Trainer(std::move(model), trainer_options_of_model);
  };
  try {
    return plan(options_.batch);
  } catch (const engine::OutOfMemory& error) {
    std::int64_t fits = 0;
    for (std::int64_t too_large = options_.batch; too_large - fits > 1;) {
      const std::int64_t batch = (fits + too_large) / 2;
      try {
        plan(batch);
        fits = batch;
      } catch (const engine::OutOfMemory&) {
        too_large = batch;
      } catch (const graph::GraphError&) {  // BatchNorm takes no single value a channel
        break;
      }
    }
    if (fits > 0) throw std::runtime_error(fmt::format("{}: --batch {} would fit", error.what(), fits));
    throw;
  }
}

void Session::load_initial_values() {
  const models::ModelInfo& info = models::find_model(options_.model);
  const auto initial = [&](const std::string& name) {
    return models::initial_parameter(info, trainer_.program().graph(), name, options_.seed);
  };
  if (options_.init.empty()) {
    for (const std::string& name : trainer_.parameter_names()) trainer_.set_value(name, initial(name));
  } else {
    const engine::SafetensorsFile file(options_.init);
    engine::LoadReport report =
        engine::load_model(file, engine::values_of(trainer_), {.head_keys = info.head_keys, .initial = initial});
    if (!report.initialised.empty())
      fmt::print("{}: initialised anew for {} classes: {}\n", options_.init.string(), description_.classes.size(),
                 fmt::join(report.initialised, ", "));
    std::vector<engine::TensorToWrite> known = engine::model_tensors(trainer_);
    complete_for_pytorch(description_, known);
    for (const engine::TensorToWrite& tensor : known) std::erase(report.unused, tensor.name);
    if (!report.unused.empty())
      fmt::print("{}: not used: {}\n", options_.init.string(), fmt::join(report.unused, ", "));
  }
  trainer_.start_averages();
}

std::int64_t Session::steps_of(double epochs) const {
  const double images = static_cast<double>(data_.train->size());
  return static_cast<std::int64_t>(std::ceil(epochs * images / static_cast<double>(options_.batch)));
}

void Session::make_schedule() {
  steps_ = options_.steps > 0 ? options_.steps : steps_of(static_cast<double>(options_.epochs));
  const auto updates = [&](std::int64_t steps) { return (steps + options_.accumulate - 1) / options_.accumulate; };
  schedule_.rate = options_.lr;
  schedule_.warmup = updates(steps_of(options_.warmup_epochs));
  schedule_.updates = updates(steps_);
  schedule_.decay_every = std::max<std::int64_t>(1, updates(steps_of(options_.decay_epochs)));
  schedule_.decay = options_.decay_rate;
  if (options_.schedule == "constant") schedule_.kind = engine::ScheduleKind::constant;
  if (options_.schedule == "step") schedule_.kind = engine::ScheduleKind::step;
}

}  // namespace bramble::train
