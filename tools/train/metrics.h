// A run's record: a line of JSON for each step and each evaluation, and a table of the epochs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "tools/train/evaluate.h"
#include "tools/train/tensorboard.h"

namespace bramble::train {

struct StepMetrics {
  std::int64_t step = 0;  ///< counted from 1
  double epoch = 0;       ///< how often the data has been seen after it
  double loss = 0;
  double top1 = 0;  ///< share of the batch
  double lr = 0;
  double images_per_s = 0;
};

struct SkippedStep {
  std::int64_t step = 0;
  float loss = 0;     ///< not finite
  std::string where;  ///< it comes from
};

struct EpochMetrics {
  std::int64_t step = 0;
  std::int64_t epoch = 0;  ///< counted from 1
  double train_loss = 0;   ///< mean over the epoch's steps
  double train_top1 = 0;
  std::optional<Evaluation> val;
};

/// OUT/metrics.jsonl, OUT/metrics.csv and TensorBoard's events. Each line is flushed when it is written.
class MetricsLog {
 public:
  /// Keeps what earlier sessions wrote about the steps up to `first_step`, and drops the rest: those steps come again.
  MetricsLog(const std::filesystem::path& folder, std::int64_t first_step);
  ~MetricsLog();
  MetricsLog(const MetricsLog&) = delete;
  MetricsLog& operator=(const MetricsLog&) = delete;

  void add(const StepMetrics& metrics);
  void add(const SkippedStep& skipped);
  void add(const EpochMetrics& metrics);

 private:
  void write(std::FILE* file, const std::filesystem::path& path, const std::string& line);

  std::filesystem::path jsonl_path_, csv_path_;
  std::FILE* jsonl_ = nullptr;
  std::FILE* csv_ = nullptr;
  TensorBoardLog events_;
};

}  // namespace bramble::train
