// Trains each model for a few steps, as the published benchmark of on-device training does, and reports the time.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <new>
#include <string>
#include <vector>

#include "bench/bench_models_data.h"
#include "bench/bench_models_html.h"
#include "bench/bench_models_options.h"
#include "bench/bench_models_progress.h"
#include "bench/bench_models_report.h"
#include "bench/bench_models_rows.h"
#include "bench/bench_models_run.h"
#include "bench/bench_models_trace.h"
#include "engine/data/file.h"
#include "engine/trainer.h"
#include "tools/cli/program.h"

namespace bramble::bench {
namespace {

void list_models() {
  for (const models::ModelInfo& info : models::benchmark_models()) fmt::print("{}\n", info.name);
}

// What did not fit this machine's memory, to be said once more at the end of a long run:
// "vgg16 train: the plan needs 4.1 GiB, …".
using Unfit = std::vector<std::string>;

// A model that does not fit is reported, and the others go on.
void run_or_report(const Options& options, const models::ModelInfo& info, Task task, Data& data, RowStore& store,
                   Trace& trace, Unfit& unfit) {
  const auto note = [&](const char* reason) {
    unfit.push_back(fmt::format("{} {}: {}", info.name, to_string(task), reason));
    cli::print_error(unfit.back());
  };
  try {
    store.add(run_model(options, info, task, data, trace));
  } catch (const engine::OutOfMemory& error) {
    note(error.what());
  } catch (const std::bad_alloc&) {
    note("no memory is left beside the plan for what fills its weights and images; a smaller batch needs less");
  }
}

void run_all(const Options& options, Data& data, RowStore& store, Trace& trace, Unfit& unfit) {
  for (const models::ModelInfo* info : options.models) {
    for (const Task task : options.tasks) {
      cli::check_interrupted();
      if (options.resume && store.has(empty_row(options, *info, task))) {
        print_notice(fmt::format("{} {}: has its row already", info->name, to_string(task)));
        continue;
      }
      run_or_report(options, *info, task, data, store, trace, unfit);
    }
  }
}

void save_trace(const Trace& trace) {
  const int left_out = trace.save();
  if (left_out > 0) print_notice(fmt::format("the trace is full: its last {} steps were left out", left_out));
}

// What the run has shown so far.
void publish(const Options& options, const RowStore& store, const Trace& trace, const Unfit& unfit) {
  fmt::print("{}", report(store.rows()));
  if (!unfit.empty()) fmt::print("\nNot run for want of memory:\n  {}\n", fmt::join(unfit, "\n  "));
  if (!options.html.empty()) engine::write_atomically(options.html, to_html(store.rows()));
  save_trace(trace);
}

// Whatever ends the run, the rows so far are shown, which are on disk already, and the trace so far is kept.
int run_and_report(const Options& options, Data& data, RowStore& store, Trace& trace) {
  Unfit unfit;
  try {
    run_all(options, data, store, trace, unfit);
  } catch (...) {
    publish(options, store, trace, unfit);
    throw;
  }
  publish(options, store, trace, unfit);
  if (data.skipped() == 1) print_notice("warning: 1 image could not be read and was skipped");
  if (data.skipped() > 1)
    print_notice(fmt::format("warning: {} images could not be read and were skipped", data.skipped()));
  return unfit.empty() ? 0 : 1;
}

// Everything that can be wrong is found before the first step, cheapest first.
int bench_models(Options& options) {
  if (options.list) {
    list_models();
    return 0;
  }
  resolve(options);
  cli::catch_interrupts();
  for (const models::ModelInfo* info : options.models) check_model(options, *info);
  RowStore store(options.csv, options.json, options.resume);
  if (!options.html.empty()) engine::check_writable(options.html);
  Trace trace(options.trace);
  Data data(options);
  return run_and_report(options, data, store, trace);
}

}  // namespace
}  // namespace bramble::bench

int main(int argc, char** argv) {
  bramble::bench::Options options;
  CLI::App app("Times training steps of vision models on this machine.", "bench_models");
  bramble::bench::add_options(app, options);
  return bramble::cli::run_program(app, argc, argv, [&] { return bramble::bench::bench_models(options); });
}
