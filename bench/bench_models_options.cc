#include "bench/bench_models_options.h"

#include <algorithm>
#include <thread>

#include "tools/cli/program.h"

namespace bramble::bench {
namespace {

// Beyond these only slips of the hand are found, and sizes in bytes stay far from overflow.
constexpr int kMaxCount = 65536;
constexpr int kMaxThreads = 256;

Task parse_task(const std::string& name) {
  if (name == "train") return Task::train;
  if (name == "head") return Task::head;
  throw cli::UsageError("--tasks: no task '" + name + "'; there are train and head");
}

template <typename T>
void add_unique(std::vector<T>& list, T value) {
  if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
}

}  // namespace

const char* to_string(Task task) { return task == Task::train ? "train" : "head"; }

void add_options(CLI::App& app, Options& options) {
  const CLI::Range count(1, kMaxCount);
  // A script's defaults, then the user's own.
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option("--models", options.model_names, "models, separated by commas, or all of the benchmark's (see --list)")
      ->delimiter(',')
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->capture_default_str();
  app.add_option("--tasks", options.task_names, "train: every parameter; head: the head's only")
      ->delimiter(',')
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->capture_default_str();
  app.add_option("--batch", options.batch, "images a step")->check(count)->capture_default_str();
  app.add_option("--size", options.size, "height and width in pixels")->check(count)->capture_default_str();
  app.add_option("--classes", options.classes, "outputs of the model")->check(count)->capture_default_str();
  app.add_option("--steps", options.steps, "timed steps")->check(CLI::Range(1, 1'000'000))->capture_default_str();
  app.add_option("--warmup", options.warmup, "steps before them")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  app.add_option("--threads", options.threads, "computing threads; one for each core unless given")
      ->check(CLI::Range(1, kMaxThreads));
  app.add_option("--data", options.data, "folder of class folders with JPEGs; generated images unless given");
  app.add_flag("--in-memory", options.in_memory, "decode before the timing, not during it");
  app.add_option("--lr", options.learning_rate, "learning rate")->capture_default_str();
  app.add_option("--csv", options.csv, "write a row for each model and task");
  app.add_option("--json", options.json, "the same as JSON");
  app.add_option("--html", options.html, "a page with bars, and accuracy against seconds, beside PyTorch's published");
  app.add_flag("--resume", options.resume, "keep the rows of --csv and --json, and skip what they have");
  app.add_flag("--mark-region", options.mark_region, "bracket the timed steps for pi5model");
  app.add_flag("--mark-tasks", options.mark_tasks, "and each task in them: see bench/balance.py");
  app.add_flag("--profile", options.profile, "print where the timed steps' time went, by op and by layer");
  app.add_option("--trace", options.trace, "write the timed steps for ui.perfetto.dev, one row a thread");
  app.add_flag("--list", options.list, "print the benchmark's models and end");
}

void resolve(Options& options) {
  for (const std::string& name : options.model_names) {
    if (name == "all") {
      for (const models::ModelInfo& info : models::benchmark_models()) add_unique(options.models, &info);
      continue;
    }
    try {
      add_unique(options.models, &models::find_model(name));
    } catch (const models::UnknownModel& error) {
      throw cli::UsageError(error.what());
    }
  }
  for (const std::string& name : options.task_names) add_unique(options.tasks, parse_task(name));
  if (options.resume && options.csv.empty() && options.json.empty()) {
    throw cli::UsageError("--resume needs the --csv or --json to go on with");
  }
  if (options.mark_tasks && options.threads != 1) throw cli::UsageError("--mark-tasks needs --threads 1");
  options.mark_region = options.mark_region || options.mark_tasks;
  if (options.threads == 0)
    options.threads = std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMaxThreads);
}

}  // namespace bramble::bench
