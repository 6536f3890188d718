// `bramble train`, `bramble eval` and `bramble predict`.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <vector>

#include "tools/train/options.h"

namespace bramble::train {

struct EvalOptions {
  std::filesystem::path checkpoint;
  std::filesystem::path data;
  std::int64_t batch = 16;
  int threads = 0;
};

struct PredictOptions {
  std::filesystem::path checkpoint;
  std::vector<std::filesystem::path> images;
  int top = 5;
  bool as_json = false;
  int threads = 0;
};

void add_options(CLI::App& command, EvalOptions& options);
void add_options(CLI::App& command, PredictOptions& options);

int run(const Options& options);
int run(const EvalOptions& options);
/// 1 if an image could not be read; the others are still predicted.
int run(const PredictOptions& options);

}  // namespace bramble::train
