#include "tools/train/session.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fnmatch.h>
#include <sys/resource.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>

#include "engine/data/file.h"
#include "engine/data/mixup.h"
#include "engine/model_file.h"
#include "models/initialise.h"
#include "tools/cli/program.h"
#include "tools/train/derived_tensors.h"
#include "tools/train/preprocessing.h"
#include "tools/train/report.h"

namespace bramble::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSessionTensor = "session";
/// Streams of random numbers from here on are the steps' mixup; the loader's lie below.
constexpr std::uint64_t kMixupStreams = std::uint64_t{1} << 62;
constexpr int kMostSkipped = 10;  // more in a row are no accident
constexpr const char* kAdvice = "A lower --lr, --warmup-epochs or --clip-grad may help";

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

double share_correct(std::span<const float> logits, std::span<const std::int32_t> labels) {
  const std::size_t classes = logits.size() / labels.size();
  std::size_t correct = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto row = logits.subspan(i * classes, classes);
    correct += std::max_element(row.begin(), row.end()) - row.begin() == labels[i] ? 1 : 0;
  }
  return static_cast<double>(correct) / static_cast<double>(labels.size());
}

}  // namespace

Session::Session(const Options& options)
    : options_(options),
      data_(read_data(options.data, options.val_split, options.seed)),
      description_{options.model, options.size, data_.train->class_names(), preprocessing_of(options)},
      trainer_(make_trainer()) {
  make_schedule();
  last_checkpoint_ = engine::newest_checkpoint(options_.out / "checkpoints");
  if (!options_.resume && last_checkpoint_)
    throw engine::FileError(options_.out, "holds a run already; --resume continues it, another --out begins a new one");
  if (options_.resume && !last_checkpoint_)
    throw engine::FileError(options_.out, "holds no checkpoint to resume from");
  last_checkpoint_ ? resume(*last_checkpoint_) : load_initial_values();
}

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

void Session::resume(const engine::Checkpoint& checkpoint) {
  engine::load_model(engine::SafetensorsFile(checkpoint.model()), engine::values_of(trainer_), {});
  const engine::SafetensorsFile file(checkpoint.trainer());
  engine::load_state(file, trainer_);
  const engine::StoredTensor* stored = file.find(kSessionTensor);
  if (stored == nullptr || stored->shape != std::vector<std::int64_t>{7})
    throw engine::FileError(file.path(), "has no tensor 'session' of seven numbers");
  const std::vector<std::int64_t> numbers = file.integers(*stored);
  state_ = {numbers[0],
            static_cast<std::uint64_t>(numbers[1]),
            numbers[2],
            std::bit_cast<double>(numbers[3]),
            std::bit_cast<double>(numbers[4]),
            std::bit_cast<double>(numbers[5]),
            numbers[6]};
  trainer_.set_steps(state_.step - state_.skipped);
  fmt::print("continuing after step {} of {}\n", state_.step, steps_);
}

void Session::check_parameters() {
  const std::string parameter = trainer_.parameter_not_finite();
  if (parameter.empty()) return;
  progress_->clear();
  throw std::runtime_error(fmt::format("step {}: parameter '{}' is not finite, as its gradient overflowed; {}. {}",
                                       state_.step, parameter, last_good(), kAdvice));
}

void Session::save() {
  check_parameters();
  last_checkpoint_ = engine::save_checkpoint(options_.out / "checkpoints", state_.step, [&](const auto& checkpoint) {
    write_model(checkpoint.model(), engine::Values::current);
    std::vector<engine::TensorToWrite> tensors = engine::state_tensors(trainer_);
    const auto bits = [](double value) { return std::bit_cast<std::int64_t>(value); };
    tensors.push_back(engine::integer_tensor(
        kSessionTensor, {7},
        {state_.step, static_cast<std::int64_t>(state_.position), state_.epoch_steps, bits(state_.epoch_loss),
         bits(state_.epoch_top1), bits(state_.best_top1), state_.skipped}));
    engine::write_safetensors(checkpoint.trainer(), tensors, {});
  });
}

void Session::write_model(const fs::path& path, engine::Values which) const {
  std::vector<engine::TensorToWrite> tensors = engine::model_tensors(trainer_, which);
  complete_for_pytorch(description_, tensors);
  engine::write_safetensors(path, tensors, description_.to_metadata());
}

void Session::note_skipped(const std::string& path_and_reason) {
  if (progress_) progress_->clear();
  fmt::print(stderr, "bramble: warning: skipped {}\n", path_and_reason);
}

void Session::load_batch() {
  try {
    loader_->next(trainer_.images(), trainer_.labels());
  } catch (const engine::DataGone&) {
    // Between two steps all that a continued run needs is there.
    if (state_.step > 0) save();
    throw;
  }
  if (options_.mixup > 0) {
    engine::DataRandom random(options_.seed, kMixupStreams + static_cast<std::uint64_t>(state_.step));
    engine::mix_with_reversed(engine::mixup_share(options_.mixup, random), trainer_.images(), trainer_.labels(),
                              trainer_.other_labels(), trainer_.label_shares());
  }
}

std::string Session::last_good() const {
  return last_checkpoint_ ? "the last good checkpoint is " + last_checkpoint_->path.string() : "there is no checkpoint yet";
}

void Session::meet_bad_loss(float loss) {
  progress_->clear();
  const std::string where = trainer_.find_not_finite();
  const std::string what = fmt::format("step {}: the loss is {}, which comes from {}", state_.step, loss, where);
  const bool skip = options_.on_nan == "skip" && trainer_.parameter_not_finite().empty();
  if (skip && ++skipped_in_a_row_ > kMostSkipped)
    throw std::runtime_error(fmt::format("{}, after {} skipped steps in a row; {}. {}", what, kMostSkipped, last_good(), kAdvice));
  if (!skip) throw std::runtime_error(fmt::format("{}; {}. {}", what, last_good(), kAdvice));
  ++state_.skipped;
  fmt::print(stderr, "bramble: warning: {}; skipped ({} so far)\n", what, state_.skipped);
  metrics_->add(SkippedStep{.step = state_.step, .loss = loss, .where = where});
}

void Session::train_step() {
  const auto begin = std::chrono::steady_clock::now();
  load_batch();
  const double rate = engine::learning_rate(schedule_, state_.step / options_.accumulate);
  trainer_.set_learning_rate(static_cast<float>(rate));
  if (state_.step + 1 == steps_) {
    last_step_ = trainer_.program().make_record();
    trainer_.record_into(last_step_.get());
  }
  const float loss = trainer_.step();
  trainer_.record_into(nullptr);
  ++state_.step;
  state_.position = loader_->position();
  if (!std::isfinite(loss)) return meet_bad_loss(loss);
  skipped_in_a_row_ = 0;
  const double correct = share_correct(trainer_.logits(), trainer_.labels());
  ++state_.epoch_steps;
  state_.epoch_loss += static_cast<double>(loss);
  state_.epoch_top1 += correct;

  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const double images = static_cast<double>(data_.train->size());
  const StepMetrics step{.step = state_.step, .epoch = static_cast<double>(state_.position) / images,
                         .loss = static_cast<double>(loss), .top1 = correct, .lr = rate,
                         .images_per_s = static_cast<double>(options_.batch) / seconds};
  metrics_->add(step);
  progress_->update(step);
}

Evaluation Session::evaluate_now() {
  engine::Evaluator evaluator = make_evaluator(description_, options_.batch, options_.threads, trainer_.working_memory());
  for (const auto& names : {evaluator.parameter_names(), evaluator.buffer_names()})
    for (const std::string& name : names)
      evaluator.set_value(name, options_.ema > 0 ? trainer_.average(name) : trainer_.value(name));
  // A signal waits for the end: the epoch's result is part of the checkpoint.
  return evaluate(evaluator, data_.val, description_, options_.batch, options_.loader_threads,
                  [this](const std::string& message) { note_skipped(message); });
}

/// `number` counts from 1.
void Session::end_epoch(std::int64_t number) {
  const auto steps = static_cast<double>(std::max<std::int64_t>(1, state_.epoch_steps));
  EpochMetrics epoch{.step = state_.step,
                     .epoch = number,
                     .train_loss = state_.epoch_loss / steps,
                     .train_top1 = state_.epoch_top1 / steps,
                     .val = {}};
  check_parameters();
  if (data_.val->size() > 0) last_evaluation_ = epoch.val = evaluate_now();
  metrics_->add(epoch);
  progress_->clear();
  std::string line = fmt::format("epoch {:>3}  step {:>6}  train loss {:.4f} top-1 {:.1f} %", epoch.epoch, epoch.step,
                                 epoch.train_loss, 100 * epoch.train_top1);
  if (epoch.val)
    line += fmt::format("  val loss {:.4f} top-1 {:.1f} %", epoch.val->loss, 100 * epoch.val->top1);
  fmt::print("{}\n", line);
  std::fflush(stdout);
  state_.epoch_steps = 0;
  state_.epoch_loss = state_.epoch_top1 = 0;
  if (epoch.val && epoch.val->top1 > state_.best_top1) {
    state_.best_top1 = epoch.val->top1;
    write_model(options_.out / "best.safetensors", options_.ema > 0 ? engine::Values::averaged : engine::Values::current);
  }
}

void Session::write_results() {
  const fs::path model = options_.out / "model.safetensors";
  write_model(model, options_.ema > 0 ? engine::Values::averaged : engine::Values::current);
  fmt::print("the trained model: {}\n", model.string());
  if (state_.best_top1 >= 0)
    fmt::print("the best on the images kept for evaluation ({:.1f} %): {}\n", 100 * state_.best_top1,
               (options_.out / "best.safetensors").string());
  write_report();
  fmt::print("how it went: {}\n", (options_.out / "report.html").string());
}

void Session::write_report() {
  const auto percent = [](double share) { return fmt::format("{:.1f} %", 100 * share); };
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  RunReport report{.title = options_.model + " on " + options_.data.string(),
                   .facts = {},
                   .history = read_history(options_.out / "metrics.jsonl"),
                   .classes = description_.classes,
                   .evaluation = last_evaluation_.value_or(Evaluation()),
                   .worst = {},
                   .times = {},
                   .memory = trainer_.memory(),
                   .process_peak = static_cast<std::size_t>(usage.ru_maxrss) * 1024};
  if (last_evaluation_) {
    report.facts = {{"top-1 at the end", percent(last_evaluation_->top1)},
                    {"best top-1", percent(state_.best_top1)},
                    {"loss", fmt::format("{:.4f}", last_evaluation_->loss)}};
    if (description_.classes.size() > 5) report.facts.insert(report.facts.begin() + 1, {"top-5", percent(last_evaluation_->top5)});
    report.worst = make_thumbnails(*data_.val, *last_evaluation_);
  }
  report.facts.insert(report.facts.end(), {{"images to train on", std::to_string(data_.train->size())},
                                           {"to evaluate on", std::to_string(data_.val->size())},
                                           {"classes", std::to_string(description_.classes.size())},
                                           {fmt::format("steps of {}", options_.batch), std::to_string(state_.step)}});
  if (last_step_) report.times = times_by_op(trainer_.program(), *last_step_);
  engine::write_atomically(options_.out / "report.html", to_html(report));
}

void Session::prepare_out() {
  std::error_code error;
  fs::create_directories(options_.out, error);
  if (error) throw engine::FileError(options_.out, "cannot be made: " + error.message());
  // The last checkpoint stays until the next one is whole; parameters and optimiser's state are all but all of either.
  const std::size_t needed = 2 * trainer_.memory().parameters;
  const fs::space_info space = fs::space(options_.out, error);
  if (!error && space.available < needed)
    throw engine::FileError(options_.out, fmt::format("two checkpoints need {}, but {} are free", engine::format_bytes(needed),
                                                      engine::format_bytes(space.available)));
  engine::write_atomically(options_.out / "config.json", to_json(options_));
  metrics_ = std::make_unique<MetricsLog>(options_.out, state_.step);
}

void Session::run() {
  // What can be wrong with the data and the memory is found before OUT is touched.
  loader_ = std::make_unique<engine::Loader>(
      data_.train,
      engine::LoaderOptions{.batch = static_cast<int>(options_.batch),
                            .size = static_cast<int>(options_.size),
                            .threads = options_.loader_threads,
                            .seed = options_.seed,
                            .preprocessing = description_.preprocessing,
                            .augment = augmentation_of(options_),
                            .start = state_.position},
      [this](const std::string& message) { note_skipped(message); });
  if (data_.val->size() > 0) make_evaluator(description_, options_.batch, options_.threads, trainer_.working_memory());
  prepare_out();
  fmt::print("{}: {} images of {} classes, {} for evaluation; {} steps of {}; memory {}\n", options_.model,
             data_.train->size(), data_.train->class_names().size(), data_.val->size(), steps_, options_.batch,
             engine::format_bytes(trainer_.memory().total()));
  std::fflush(stdout);
  progress_ = std::make_unique<Progress>(state_.step, steps_);
  try {
    train();
  } catch (const engine::DataGone& gone) {
    progress_->clear();
    throw std::runtime_error(fmt::format("{}; stopped after step {}, {}", gone.what(), state_.step,
                                         last_checkpoint_ ? "--resume continues from " + last_checkpoint_->path.string()
                                                          : "before the first checkpoint"));
  }
  progress_->clear();
  write_results();
}

void Session::train() {
  const auto epoch_of = [&] { return state_.position / data_.train->size(); };
  while (state_.step < steps_) {
    const std::uint64_t epoch = epoch_of();
    train_step();
    const bool epoch_ended = epoch_of() != epoch || state_.step == steps_;
    if (epoch_ended) end_epoch(static_cast<std::int64_t>(epoch) + 1);
    const bool due = options_.save_every > 0 && state_.step % options_.save_every == 0;
    if (epoch_ended || due || cli::interrupted()) save();
    if (cli::interrupted()) {
      progress_->clear();
      fmt::print("stopped after step {} of {}; --resume continues\n", state_.step, steps_);
      throw cli::Interrupted();
    }
  }
}

}  // namespace bramble::train
