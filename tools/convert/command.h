// `bramble convert`: checkpoints of other programs, and ours, as one plain file with timm's names.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

namespace bramble::convert {

struct Options {
  std::filesystem::path input;   ///< a safetensors file, or a checkpoint folder of `bramble train`
  std::filesystem::path output;  ///< a safetensors file
  std::string model;             ///< ours; empty: as the input's metadata says, or unchecked
  std::int64_t size = 0;         ///< 0: as the metadata says, or 224
  std::filesystem::path class_names;
  std::string weights = "plain";
  std::string dtype = "float32";
  bool drop_head = false;
};

void add_options(CLI::App& command, Options& options);

/// Throws engine::FileError that names the tensor which the model lacks or which has another shape.
int run(const Options& options);

}  // namespace bramble::convert
