#include "bench/bench_models_run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>

#include "bench/bench_models_machine.h"
#include "bench/bench_models_profile.h"
#include "bench/bench_models_progress.h"
#include "bench/bench_models_published.h"
#include "engine/golden.h"
#include "engine/trainer.h"
#include "tools/cli/program.h"

namespace bramble::bench {
namespace {

constexpr double kMebibyte = 1024.0 * 1024.0;

// System calls that fail, and that pi5model listens for.
constexpr int kRegionBegin = -77001;
constexpr int kRegionEnd = -77002;
constexpr int kPhase = -77003;
constexpr int kTask = -77004;

graph::ModelConfig config_of(const Options& options) {
  // Train mode in both tasks, as the published benchmark ran it.
  return {.batch = options.batch, .size = options.size, .classes = options.classes, .training = true};
}

engine::Trainer make_trainer(const Options& options, const models::ModelInfo& info, Task task) {
  engine::TrainerOptions trainer_options;
  trainer_options.threads = options.threads;
  if (task == Task::head) trainer_options.trainable = info.head_keys;
  engine::Trainer trainer(models::build_model(info, config_of(options)), trainer_options);
  for (const std::string& name : trainer.parameter_names()) {
    trainer.set_value(name, engine::golden_parameter(name, trainer.shape_of(name), 0));
  }
  trainer.set_learning_rate(options.learning_rate);
  return trainer;
}

std::string describe(const engine::MemoryReport& memory) {
  return fmt::format(
      "{:.0f} MiB planned ({:.0f} weights and state, {:.0f} activations, {:.0f} scratch)",
      static_cast<double>(memory.total()) / kMebibyte, static_cast<double>(memory.parameters) / kMebibyte,
      static_cast<double>(memory.activations) / kMebibyte, static_cast<double>(memory.scratch) / kMebibyte);
}

struct Step {
  double seconds;
  float loss;
};

// Waiting for the images counts: it is what decoding costs beyond what overlaps.
Step timed_step(engine::Trainer& trainer, engine::BatchSource& source) {
  const auto begin = std::chrono::steady_clock::now();
  source.next(trainer.images(), trainer.labels());
  const float loss = trainer.step();
  return {std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(), loss};
}

// Watches the timed steps for --profile and --trace; without them the trainer records nothing.
class Recorder {
 public:
  Recorder(const Options& options, const std::string& title, engine::Trainer& trainer, Trace& trace)
      : trainer_(trainer), trace_(trace) {
    if (!options.profile && !trace.wanted() && !options.mark_tasks) return;
    record_ = trainer.program().make_record();
    if (options.mark_tasks) {
      record_->before_phase = [] { ::close(kPhase); };
      record_->before_task = [] { ::close(kTask); };
    }
    if (options.profile) profile_.emplace(trainer.program(), *record_);
    if (trace.wanted()) trace.begin_run(title, trainer.program(), *record_, options.steps);
  }

  void start() { trainer_.record_into(record_.get()); }
  void add(const Step& step) {
    if (record_ && record_->before_phase) record_->before_phase();  // ends the last task
    if (profile_) profile_->add(*record_, step.seconds);
    if (trace_.wanted()) trace_.add(*record_);
  }
  void print(const std::string& title) const {
    if (profile_) fmt::print("{}", profile_->report(title, board_of(machine_name())));
  }

 private:
  engine::Trainer& trainer_;
  Trace& trace_;
  std::unique_ptr<engine::StepRecord> record_;
  std::optional<Profile> profile_;
};

std::vector<Step> run_steps(const Options& options, engine::Trainer& trainer, engine::BatchSource& source,
                            Recorder& recorder, Progress& progress) {
  std::vector<Step> steps;
  steps.reserve(static_cast<std::size_t>(options.steps));
  for (int i = -options.warmup; i < options.steps; ++i) {
    if (i == 0) recorder.start();
    if (i == 0 && options.mark_region) ::close(kRegionBegin);
    const Step step = timed_step(trainer, source);
    if (i >= 0) {
      steps.push_back(step);
      recorder.add(step);
    }
    cli::check_interrupted();
    // Printing is no part of the steps that pi5model counts.
    if (options.mark_region) continue;
    progress.update(
        i < 0 ? fmt::format("warm-up step {}/{}", i + options.warmup + 1, options.warmup)
              : fmt::format("step {}/{}  {:.3f} s  loss {:.4f}", i + 1, options.steps, step.seconds, step.loss));
  }
  if (options.mark_region) ::close(kRegionEnd);
  return steps;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

void fill_times(Row& row, const std::vector<Step>& steps, double flops_per_step) {
  std::vector<double> seconds;
  for (const Step& step : steps) seconds.push_back(step.seconds);
  row.seconds_median = median(seconds);
  row.seconds_min = *std::min_element(seconds.begin(), seconds.end());
  row.seconds_max = *std::max_element(seconds.begin(), seconds.end());
  row.images_per_s = static_cast<double>(row.batch) / row.seconds_median;
  row.gflop_per_s = flops_per_step / row.seconds_median / 1e9;
  row.final_loss = static_cast<double>(steps.back().loss);
}

void fill_comparisons(Row& row, const Options& options, Task task) {
  row.machine = machine_name();
  const Board board = board_of(row.machine);
  if (const auto limit = fp32_limit(board, options.threads)) row.share_of_fp32_limit = row.gflop_per_s * 1e9 / *limit;
  if (!is_published_protocol(options)) return;
  row.published_pytorch_seconds = published_seconds(row.model, board, task);
  if (row.published_pytorch_seconds) row.times_as_fast = *row.published_pytorch_seconds / row.seconds_median;
}

}  // namespace

Row empty_row(const Options& options, const models::ModelInfo& info, Task task) {
  Row row;
  row.model = info.name;
  row.task = to_string(task);
  row.batch = options.batch;
  row.size = options.size;
  row.classes = options.classes;
  row.threads = options.threads;
  row.steps = options.steps;
  return row;
}

void check_model(const Options& options, const models::ModelInfo& info) {
  models::build_model(info, config_of(options));
}

Row run_model(const Options& options, const models::ModelInfo& info, Task task, Data& data, Trace& trace) {
  reset_process_peak();
  const std::string title = fmt::format("{} {}", info.name, to_string(task));
  Progress progress(fmt::format("{:<20} {:<5}", info.name, to_string(task)));
  const std::unique_ptr<engine::BatchSource> source = data.open();
  engine::Trainer trainer = make_trainer(options, info, task);
  progress.set_plan(describe(trainer.memory()));
  Recorder recorder(options, title, trainer, trace);
  const std::vector<Step> steps = run_steps(options, trainer, *source, recorder, progress);

  Row row = empty_row(options, info, task);
  fill_times(row, steps, trainer.flops_per_step());
  row.planned_peak_bytes = static_cast<std::int64_t>(trainer.memory().total());
  row.process_peak_bytes = static_cast<std::int64_t>(process_peak_bytes());
  fill_comparisons(row, options, task);
  progress.finish(fmt::format("{:.3f} s a step, {:.1f} images/s, loss {:.4f}", row.seconds_median, row.images_per_s,
                              row.final_loss));
  recorder.print(title);
  return row;
}

}  // namespace bramble::bench
