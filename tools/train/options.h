// `bramble train`'s options: the command line's, or a JSON file's with the same names.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace bramble::train {

struct Options {
  std::string model;
  std::filesystem::path data;
  std::filesystem::path init;  ///< a safetensors file; empty: initialised as timm does
  std::filesystem::path out = "run";
  std::filesystem::path config;
  bool resume = false;

  bool head_only = false;
  std::vector<std::string> trainable;  ///< globs over parameters' names

  std::int64_t epochs = 10;
  std::int64_t steps = 0;  ///< 0: as many as the epochs have
  std::int64_t batch = 16;
  std::int64_t size = 224;
  double val_split = 0.2;  ///< of each class, where the data has no val folder
  std::string augment = "basic";
  double smallest_crop = 0.08;
  double flip = 0.5;
  std::string color_jitter;  ///< "V", "B,C,S" or "B,C,S,H"; empty: none
  double erase = 0;
  double mixup = 0;  ///< alpha; 0: none
  std::string mean, deviation;  ///< empty: the model's own, as the next two
  double crop_pct = 0;
  std::string interpolation;

  std::string optimizer = "sgd";
  double lr = 0.01;
  double momentum = 0.9;
  bool nesterov = false;
  double weight_decay = 1e-4;
  std::string schedule = "cosine";
  double warmup_epochs = 0;
  double decay_epochs = 30;
  double decay_rate = 0.1;
  double label_smoothing = 0;
  double clip_grad = 0;
  int accumulate = 1;
  std::string on_nan = "stop";
  std::string bn = "train";
  double drop_rate = 0;
  double drop_path = 0;
  double ema = 0;  ///< the moving averages' decay; 0: none

  std::uint64_t seed = 0;
  int threads = 0;
  int loader_threads = 2;
  std::int64_t save_every = 0;  ///< steps; 0: at each epoch's end
};

void add_options(CLI::App& command, Options& options);

/// The command line with the contents of the file after --config (or of OUT/config.json after --resume) put before it,
/// so that the command line wins. Leaves other commands than `train` as they are.
std::vector<std::string> expand_config(const std::vector<std::string>& arguments);

/// The options as a file for --config.
std::string to_json(const Options& options);

/// What CLI11 cannot check alone. Throws cli::UsageError.
void check(const Options& options);

}  // namespace bramble::train
