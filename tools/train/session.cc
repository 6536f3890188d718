#include "tools/train/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "engine/data/file.h"
#include "engine/data/mixup.h"
#include "tools/cli/program.h"
#include "tools/train/preprocessing.h"

namespace bramble::train {
namespace {

namespace fs = std::filesystem;

/// Streams of random numbers from here on are the steps' mixup; the loader's lie below.
constexpr std::uint64_t kMixupStreams = std::uint64_t{1} << 62;
constexpr int kMostSkipped = 10;  // more in a row are no accident

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
  if (options_.resume && !last_checkpoint_) throw engine::FileError(options_.out, "holds no checkpoint to resume from");
  last_checkpoint_ ? resume(*last_checkpoint_) : load_initial_values();
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

void Session::meet_bad_loss(float loss) {
  progress_->clear();
  const std::string where = trainer_.find_not_finite();
  const std::string what = fmt::format("step {}: the loss is {}, which comes from {}", state_.step, loss, where);
  const bool skip = options_.on_nan == "skip" && trainer_.parameter_not_finite().empty();
  if (skip && ++skipped_in_a_row_ > kMostSkipped)
    throw std::runtime_error(
        fmt::format("{}, after {} skipped steps in a row; {}. {}", what, kMostSkipped, last_good(), kAdvice));
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
  check_parameters();
  skipped_in_a_row_ = 0;
  const double correct = share_correct(trainer_.logits(), trainer_.labels());
  ++state_.epoch_steps;
  state_.epoch_loss += static_cast<double>(loss);
  state_.epoch_top1 += correct;

  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const double images = static_cast<double>(data_.train->size());
  const StepMetrics step{.step = state_.step,
                         .epoch = static_cast<double>(state_.position) / images,
                         .loss = static_cast<double>(loss),
                         .top1 = correct,
                         .lr = rate,
                         .images_per_s = static_cast<double>(options_.batch) / seconds};
  metrics_->add(step);
  progress_->update(step);
}

void Session::end_epoch() {
  const auto steps = static_cast<double>(std::max<std::int64_t>(1, state_.epoch_steps));
  EpochMetrics epoch{.step = state_.step,
                     .epoch = state_.ended_epoch,
                     .train_loss = state_.epoch_loss / steps,
                     .train_top1 = state_.epoch_top1 / steps,
                     .val = {}};
  check_values();
  try {
    if (data_.val->size() > 0) last_evaluation_ = epoch.val = evaluate_now();
  } catch (const engine::DataGone&) {
    save();
    throw;
  }
  metrics_->add(epoch);
  progress_->clear();
  std::string line = fmt::format("epoch {:>3}  step {:>6}  train loss {:.4f} top-1 {:.1f} %", epoch.epoch, epoch.step,
                                 epoch.train_loss, 100 * epoch.train_top1);
  if (epoch.val) line += fmt::format("  val loss {:.4f} top-1 {:.1f} %", epoch.val->loss, 100 * epoch.val->top1);
  fmt::print("{}\n", line);
  std::fflush(stdout);
  state_.ended_epoch = state_.epoch_steps = 0;
  state_.epoch_loss = state_.epoch_top1 = 0;
  if (epoch.val && epoch.val->top1 > state_.best_top1) {
    state_.best_top1 = epoch.val->top1;
    write_model(options_.out / "best.safetensors",
                options_.ema > 0 ? engine::Values::averaged : engine::Values::current);
  }
}

void Session::prepare_out() {
  std::error_code error;
  fs::create_directories(options_.out, error);
  if (error) throw engine::FileError(options_.out, "cannot be made: " + error.message());
  // The last checkpoint stays until the next one is whole; parameters and optimiser's state are all but all of either.
  const std::size_t needed = 2 * trainer_.memory().parameters;
  const fs::space_info space = fs::space(options_.out, error);
  if (!error && space.available < needed)
    throw engine::FileError(options_.out,
                            fmt::format("two checkpoints need {}, but {} are free", engine::format_bytes(needed),
                                        engine::format_bytes(space.available)));
  engine::write_atomically(options_.out / "config.json", to_json(options_));
  metrics_ = std::make_unique<MetricsLog>(options_.out, state_.step);
}

void Session::run() {
  if (state_.step >= steps_ && fs::exists(options_.out / "report.html")) {
    fmt::print("{} is finished: nothing is left of its {} steps\n", options_.out.string(), steps_);
    return;
  }
  // What can be wrong with the data and the memory is found before OUT is touched.
  loader_ = std::make_unique<engine::Loader>(data_.train,
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
    progress_->clear();
    write_results();
  } catch (const engine::FileError& error) {  // the data has gone, the disk is full
    progress_->clear();
    throw std::runtime_error(fmt::format("{}; stopped after step {}, {}", error.what(), state_.step,
                                         last_checkpoint_ ? "--resume continues from " + last_checkpoint_->path.string()
                                                          : "before the first checkpoint"));
  }
}

void Session::train() {
  const auto epoch_of = [&] { return state_.position / data_.train->size(); };
  if (state_.ended_epoch > 0) {
    end_epoch();
    save();
  }
  while (state_.step < steps_) {
    const std::uint64_t epoch = epoch_of();
    train_step();
    const bool epoch_ended = epoch_of() != epoch || state_.step == steps_;
    if (epoch_ended) {
      state_.ended_epoch = static_cast<std::int64_t>(epoch) + 1;
      end_epoch();
    }
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
