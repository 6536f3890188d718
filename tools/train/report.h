// RUN/report.html: a run on one page.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "engine/data/dataset.h"
#include "engine/memory.h"
#include "engine/program.h"
#include "tools/train/evaluate.h"

namespace bramble::train {

struct StepPoint {
  double step = 0, loss = 0, top1 = 0;
};
struct EpochPoint {
  double step = 0, train_loss = 0, train_top1 = 0, val_loss = 0, val_top1 = 0;  ///< NaN where nothing was evaluated
};

/// What MetricsLog wrote, of all sessions.
struct History {
  std::vector<StepPoint> steps;
  std::vector<EpochPoint> epochs;
  std::int64_t skipped = 0;  ///< steps whose loss was not finite
};
History read_history(const std::filesystem::path& jsonl);

struct OpTime {
  std::string op;
  double seconds = 0;  ///< of a step
};
/// By falling time.
std::vector<OpTime> times_by_op(const engine::Program& program, const engine::StepRecord& record);

struct Thumbnail {
  Mistake mistake;
  std::string name;                 ///< the picture's
  std::vector<std::uint8_t> jpeg;
};
/// Of `evaluation.worst`; a picture that cannot be read any more is left out.
std::vector<Thumbnail> make_thumbnails(const engine::Dataset& data, const Evaluation& evaluation);

struct RunReport {
  std::string title;
  std::vector<std::pair<std::string, std::string>> facts;  ///< what, value
  History history;
  std::vector<std::string> classes;
  Evaluation evaluation;  ///< of no images where there is nothing to evaluate
  std::vector<Thumbnail> worst;
  std::vector<OpTime> times;  ///< of the last step; empty if another session ran it
  engine::MemoryReport memory;
  std::size_t process_peak = 0;  ///< bytes
};
std::string to_html(const RunReport& report);

}  // namespace bramble::train
