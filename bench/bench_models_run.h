// One model and task: plan, warm up, time the steps.
#pragma once

#include "bench/bench_models_data.h"
#include "bench/bench_models_options.h"
#include "bench/bench_models_rows.h"
#include "bench/bench_models_trace.h"

namespace bramble::bench {

/// The row's key, before anything is run.
Row empty_row(const Options& options, const models::ModelInfo& info, Task task);

/// Throws graph::GraphError for a batch or size that the model cannot take. Allocates nothing large.
void check_model(const Options& options, const models::ModelInfo& info);

/// Prints the profile, if the options ask for one. Throws engine::OutOfMemory, and cli::Interrupted after the step
/// during which Ctrl-C came.
Row run_model(const Options& options, const models::ModelInfo& info, Task task, Data& data, Trace& trace);

}  // namespace bramble::bench
