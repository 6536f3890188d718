// The benchmark's results, one row a model and task, in memory and on disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace bramble::bench {

struct Row {
  std::string model;
  std::string task;
  std::int64_t batch = 0;
  std::int64_t size = 0;
  std::int64_t classes = 0;
  std::int64_t threads = 0;
  std::int64_t steps = 0;
  double seconds_median = 0;  ///< a step, with what remains exposed of the decoding
  double seconds_min = 0;
  double seconds_max = 0;
  double images_per_s = 0;
  double gflop_per_s = 0;
  std::optional<double> share_of_fp32_limit;
  std::int64_t planned_peak_bytes = 0;
  std::int64_t process_peak_bytes = 0;
  double final_loss = 0;
  std::string machine;
  std::optional<double> published_pytorch_seconds;
  std::optional<double> times_as_fast;  ///< published seconds / seconds_median

  /// What --resume recognises a row by.
  auto key() const { return std::tie(model, task, batch, size, classes, threads); }
};

std::string to_csv(const std::vector<Row>& rows);
std::string to_json(const std::vector<Row>& rows);
/// Throw engine::FileError with `path`: text that bench_models did not write.
std::vector<Row> rows_from_csv(const std::string& text, const std::filesystem::path& path);
std::vector<Row> rows_from_json(const std::string& text, const std::filesystem::path& path);

/// The rows and the files that hold them. A path may be empty.
class RowStore {
 public:
  /// Throws engine::FileError if a file cannot be written. With `resume`, takes the rows that are there.
  RowStore(std::filesystem::path csv, std::filesystem::path json, bool resume);

  const std::vector<Row>& rows() const { return rows_; }
  bool has(const Row& row) const;
  /// On disk when this returns.
  void add(Row row);

 private:
  void take(std::vector<Row> rows);
  void save() const;

  std::filesystem::path csv_;
  std::filesystem::path json_;
  std::vector<Row> rows_;
};

}  // namespace bramble::bench
