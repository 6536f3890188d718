// bench_models' command line.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "models/registry.h"

namespace bramble::bench {

enum class Task { train, head };
const char* to_string(Task task);

/// The defaults are the published benchmark's protocol.
struct Options {
  std::vector<std::string> model_names = {"all"};
  std::vector<std::string> task_names = {"train", "head"};
  int batch = 16;
  int size = 224;
  int classes = 1000;
  int steps = 20;
  int warmup = 1;
  int threads = 0;             ///< 0 until resolve(): one for each core
  std::filesystem::path data;  ///< empty: generated images
  bool in_memory = false;
  float learning_rate = 0.1f;
  std::filesystem::path csv;
  std::filesystem::path json;
  std::filesystem::path html;
  bool resume = false;
  bool mark_region = false;
  bool mark_tasks = false;
  bool profile = false;
  std::filesystem::path trace;
  bool list = false;

  // Filled by resolve().
  std::vector<const models::ModelInfo*> models;
  std::vector<Task> tasks;
};

void add_options(CLI::App& app, Options& options);

/// Names to models and tasks, the number of threads. Throws cli::UsageError; knows no file yet.
void resolve(Options& options);

}  // namespace bramble::bench
