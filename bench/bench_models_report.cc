#include "bench/bench_models_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "bench/text_table.h"

namespace bramble::bench {
namespace {

constexpr double kMebibyte = 1024.0 * 1024.0;

using Line = std::vector<std::string>;

Line heading() {
  return {"model",    "task",     "s/batch",  "min",  "max",       "images/s",     "GFLOP/s",
          "of limit", "plan MiB", "peak MiB", "loss", "PyTorch s", "times as fast"};
}

std::string or_dash(const std::optional<double>& value, double scale, int digits, const char* unit) {
  return value ? fmt::format("{:.{}f}{}", *value * scale, digits, unit) : "-";
}

Line line_of(const Row& row) {
  return {row.model,
          row.task,
          fmt::format("{:.3f}", row.seconds_median),
          fmt::format("{:.3f}", row.seconds_min),
          fmt::format("{:.3f}", row.seconds_max),
          fmt::format("{:.1f}", row.images_per_s),
          fmt::format("{:.1f}", row.gflop_per_s),
          or_dash(row.share_of_fp32_limit, 100, 0, " %"),
          fmt::format("{:.0f}", static_cast<double>(row.planned_peak_bytes) / kMebibyte),
          fmt::format("{:.0f}", static_cast<double>(row.process_peak_bytes) / kMebibyte),
          fmt::format("{:.4f}", row.final_loss),
          or_dash(row.published_pytorch_seconds, 1, 2, ""),
          or_dash(row.times_as_fast, 1, 2, "")};
}

// What the rows have in common, once for each set of settings in the table.
std::string settings(const std::vector<Row>& rows) {
  std::set<std::string> lines;
  for (const Row& row : rows) {
    lines.insert(fmt::format("{}: batch {}, {} x {}, {} classes, {} thread{}, median of {} step{}\n", row.machine,
                             row.batch, row.size, row.size, row.classes, row.threads, row.threads == 1 ? "" : "s",
                             row.steps, row.steps == 1 ? "" : "s"));
  }
  return fmt::format("{}", fmt::join(lines, ""));
}

}  // namespace

std::string report(const std::vector<Row>& rows) {
  if (rows.empty()) return "";
  std::vector<Line> lines = {heading()};
  for (const Row& row : rows) lines.push_back(line_of(row));
  std::string text = fmt::format("\n{}\n{}", text_table(lines), settings(rows));
  const auto any = [&](auto member) {
    return std::any_of(rows.begin(), rows.end(), [&](const Row& row) { return (row.*member).has_value(); });
  };
  if (any(&Row::share_of_fp32_limit)) {
    text += "limit: fp32 on a Raspberry Pi 5, 38.4 GFLOP/s a core, 153.6 for four\n";
  }
  if (any(&Row::published_pytorch_seconds)) {
    text += "PyTorch s: published for this board, PyTorch 1.13.1, batch 16, 224 x 224, 1000 classes\n";
  }
  return text;
}

}  // namespace bramble::bench
