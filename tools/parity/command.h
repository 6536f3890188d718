// `bramble parity`: golden files against the engine.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <vector>

namespace bramble::parity {

struct CommandOptions {
  std::vector<std::filesystem::path> files;
  int threads = 0;             ///< 0: one for each core
  std::filesystem::path dump;  ///< empty: nothing is written
  bool check_plan = false;
};

void add_options(CLI::App& command, CommandOptions& options);

/// 0 if every value of every file is within its tolerance, else 1.
int run(const CommandOptions& options);

}  // namespace bramble::parity
