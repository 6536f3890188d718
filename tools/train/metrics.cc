#include "tools/train/metrics.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <sstream>

#include "engine/data/file.h"

namespace bramble::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCsvHeader = "step,epoch,train_loss,train_top1,val_loss,val_top1,val_top5\n";

/// The lines of an earlier session that stay; `step_of` gives a line's step, or nothing for one that is no whole line.
template <class StepOf>
std::string kept_lines(const fs::path& path, std::int64_t last_step, StepOf step_of) {
  std::error_code error;
  if (last_step == 0 || !fs::exists(path, error)) return "";
  std::istringstream lines(engine::read_text(path));
  std::string kept;
  for (std::string line; std::getline(lines, line);) {
    const std::optional<std::int64_t> step = step_of(line);
    if (step && *step <= last_step) kept += line + "\n";
  }
  return kept;
}

std::optional<std::int64_t> jsonl_step(const std::string& line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("step") || !json["step"].is_number_integer()) return std::nullopt;
  return json["step"].get<std::int64_t>();
}

std::optional<std::int64_t> csv_step(const std::string& line) {
  if (line.empty() || line[0] < '0' || line[0] > '9') return std::nullopt;
  return std::strtoll(line.c_str(), nullptr, 10);
}

std::FILE* open_to_append(const fs::path& path, const std::string& beginning) {
  engine::write_atomically(path, beginning);
  std::FILE* file = std::fopen(path.c_str(), "ae");
  if (file == nullptr) throw engine::FileError(path, std::strerror(errno));
  return file;
}

}  // namespace

MetricsLog::MetricsLog(const fs::path& folder, std::int64_t first_step)
    : jsonl_path_(folder / "metrics.jsonl"), csv_path_(folder / "metrics.csv"), events_(folder, first_step) {
  jsonl_ = open_to_append(jsonl_path_, kept_lines(jsonl_path_, first_step, jsonl_step));
  csv_ = open_to_append(csv_path_, kCsvHeader + kept_lines(csv_path_, first_step, csv_step));
}

MetricsLog::~MetricsLog() {
  for (std::FILE* file : {jsonl_, csv_})
    if (file != nullptr) std::fclose(file);
}

void MetricsLog::write(std::FILE* file, const fs::path& path, const std::string& line) {
  if (std::fputs(line.c_str(), file) < 0 || std::fflush(file) != 0)
    throw engine::FileError(path, std::string("cannot be written: ") + std::strerror(errno));
}

void MetricsLog::add(const StepMetrics& m) {
  const nlohmann::ordered_json json = {{"step", m.step}, {"epoch", m.epoch}, {"loss", m.loss},
                                       {"top1", m.top1}, {"lr", m.lr},       {"images_per_s", m.images_per_s}};
  write(jsonl_, jsonl_path_, json.dump() + "\n");
  events_.add(m.step, {{"train/loss", m.loss}, {"train/top1", m.top1}, {"lr", m.lr}, {"images_per_s", m.images_per_s}});
}

void MetricsLog::add(const SkippedStep& skipped) {
  const nlohmann::ordered_json json = {
      {"step", skipped.step}, {"skipped", fmt::format("{}", skipped.loss)}, {"where", skipped.where}};
  write(jsonl_, jsonl_path_, json.dump() + "\n");
}

void MetricsLog::add(const EpochMetrics& m) {
  nlohmann::ordered_json json = {
      {"step", m.step}, {"finished_epoch", m.epoch}, {"train_loss", m.train_loss}, {"train_top1", m.train_top1}};
  std::string row = fmt::format("{},{},{:.6g},{:.6g}", m.step, m.epoch, m.train_loss, m.train_top1);
  if (m.val) {
    json["val_loss"] = m.val->loss;
    json["val_top1"] = m.val->top1;
    json["val_top5"] = m.val->top5;
    row += fmt::format(",{:.6g},{:.6g},{:.6g}\n", m.val->loss, m.val->top1, m.val->top5);
  } else {
    row += ",,,\n";
  }
  write(jsonl_, jsonl_path_, json.dump() + "\n");
  write(csv_, csv_path_, row);
  TensorBoardLog::Scalars scalars = {{"epoch/train_loss", m.train_loss}, {"epoch/train_top1", m.train_top1}};
  if (m.val) scalars.insert(scalars.end(), {{"epoch/val_loss", m.val->loss}, {"epoch/val_top1", m.val->top1},
                                            {"epoch/val_top5", m.val->top5}});
  events_.add(m.step, scalars);
}

}  // namespace bramble::train
