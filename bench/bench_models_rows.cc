#include "bench/bench_models_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "engine/data/file.h"

namespace bramble::bench {
namespace {

using Json = nlohmann::ordered_json;  // keeps the columns' order
using Record = std::vector<std::string>;

// Calls visit(column name, member) for each column of a row: the one list of columns.
template <typename AnyRow, typename Visit>
void for_each_column(AnyRow& row, Visit visit) {
  visit("model", row.model);
  visit("task", row.task);
  visit("batch", row.batch);
  visit("size", row.size);
  visit("classes", row.classes);
  visit("threads", row.threads);
  visit("steps", row.steps);
  visit("seconds_median", row.seconds_median);
  visit("seconds_min", row.seconds_min);
  visit("seconds_max", row.seconds_max);
  visit("images_per_s", row.images_per_s);
  visit("gflop_per_s", row.gflop_per_s);
  visit("share_of_fp32_limit", row.share_of_fp32_limit);
  visit("planned_peak_bytes", row.planned_peak_bytes);
  visit("process_peak_bytes", row.process_peak_bytes);
  visit("final_loss", row.final_loss);
  visit("machine", row.machine);
  visit("published_pytorch_seconds", row.published_pytorch_seconds);
  visit("times_as_fast", row.times_as_fast);
}

// ---- one value as text and back

std::string to_text(const std::string& value) { return value; }
std::string to_text(std::int64_t value) { return std::to_string(value); }
std::string to_text(double value) { return fmt::format("{}", value); }
std::string to_text(const std::optional<double>& value) { return value ? to_text(*value) : ""; }

void from_text(const std::string& text, std::string& value) { value = text; }
void from_text(const std::string& text, double& value) {
  std::size_t used = 0;
  value = std::stod(text, &used);
  if (used != text.size()) throw std::invalid_argument(text);
}
void from_text(const std::string& text, std::int64_t& value) {
  std::size_t used = 0;
  value = std::stoll(text, &used);
  if (used != text.size()) throw std::invalid_argument(text);
}
void from_text(const std::string& text, std::optional<double>& value) {
  if (text.empty()) return;
  from_text(text, value.emplace());
}

template <typename T>
Json to_json_value(const T& value) {
  return value;
}
Json to_json_value(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

template <typename T>
void from_json_value(const Json& json, T& value) {
  json.get_to(value);
}
// JSON has no NaN: a loss that is not finite is null.
void from_json_value(const Json& json, double& value) {
  value = json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
}
void from_json_value(const Json& json, std::optional<double>& value) {
  if (!json.is_null()) value = json.get<double>();
}

// ---- CSV, as RFC 4180 has it

std::string quoted(const std::string& field) {
  if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
  std::string text = "\"";
  for (const char letter : field) text += letter == '"' ? std::string("\"\"") : std::string(1, letter);
  return text + '"';
}

std::string joined(const Record& fields) {
  std::string line = quoted(fields.front());
  for (std::size_t i = 1; i < fields.size(); ++i) line += ',' + quoted(fields[i]);
  return line + '\n';
}

std::vector<Record> split_csv(const std::string& text) {
  std::vector<Record> records;
  Record record;
  std::string field;
  bool in_quotes = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char letter = text[i];
    if (in_quotes) {
      if (letter != '"') {
        field += letter;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        field += text[++i];
      } else {
        in_quotes = false;
      }
    } else if (letter == '"') {
      in_quotes = true;
    } else if (letter == ',' || letter == '\n') {
      record.push_back(std::exchange(field, {}));
      if (letter == '\n') records.push_back(std::exchange(record, {}));
    } else if (letter != '\r') {
      field += letter;
    }
  }
  if (!field.empty() || !record.empty()) {
    record.push_back(field);
    records.push_back(record);
  }
  return records;
}

Record column_names() {
  Record names;
  Row row;
  for_each_column(row, [&](const char* name, const auto&) { names.emplace_back(name); });
  return names;
}

}  // namespace

std::string to_csv(const std::vector<Row>& rows) {
  std::string text = joined(column_names());
  for (const Row& row : rows) {
    Record fields;
    for_each_column(row, [&](const char*, const auto& value) { fields.push_back(to_text(value)); });
    text += joined(fields);
  }
  return text;
}

std::vector<Row> rows_from_csv(const std::string& text, const std::filesystem::path& path) {
  const std::vector<Record> records = split_csv(text);
  const Record names = column_names();
  if (records.empty() || records.front() != names) {
    throw engine::FileError(path, "cannot be resumed: its columns are not bench_models'");
  }
  std::vector<Row> rows;
  for (std::size_t line = 1; line < records.size(); ++line) {
    const Record& fields = records[line];
    if (fields.size() != names.size()) {
      throw engine::FileError(path, fmt::format("cannot be resumed: row {} has {} fields instead of {}", line,
                                                fields.size(), names.size()));
    }
    std::size_t column = 0;
    Row& row = rows.emplace_back();
    for_each_column(row, [&](const char* name, auto& value) {
      const std::string& field = fields[column++];
      try {
        from_text(field, value);
      } catch (const std::logic_error&) {  // std::stod's
        throw engine::FileError(path, fmt::format("cannot be resumed: {} of row {} is '{}'", name, line, field));
      }
    });
  }
  return rows;
}

std::string to_json(const std::vector<Row>& rows) {
  Json list = Json::array();
  for (const Row& row : rows) {
    Json object;
    for_each_column(row, [&](const char* name, const auto& value) { object[name] = to_json_value(value); });
    list.push_back(std::move(object));
  }
  return list.dump(2) + '\n';
}

std::vector<Row> rows_from_json(const std::string& text, const std::filesystem::path& path) {
  try {
    std::vector<Row> rows;
    for (const Json& object : Json::parse(text)) {
      Row& row = rows.emplace_back();
      for_each_column(row, [&](const char* name, auto& value) { from_json_value(object.at(name), value); });
    }
    return rows;
  } catch (const Json::exception& error) {
    throw engine::FileError(path, std::string("cannot be resumed: not bench_models' JSON: ") + error.what());
  }
}

RowStore::RowStore(std::filesystem::path csv, std::filesystem::path json, bool resume)
    : csv_(std::move(csv)), json_(std::move(json)) {
  for (const auto* path : {&csv_, &json_}) {
    if (!path->empty()) engine::check_writable(*path);
  }
  if (!resume) return;
  const auto is_there = [](const std::filesystem::path& path) {
    return !path.empty() && std::filesystem::exists(path) && std::filesystem::file_size(path) > 0;
  };
  if (is_there(csv_)) take(rows_from_csv(engine::read_text(csv_), csv_));
  if (is_there(json_)) take(rows_from_json(engine::read_text(json_), json_));
  if (!rows_.empty()) save();  // what only one of the two had
}

void RowStore::take(std::vector<Row> rows) {
  for (Row& row : rows) {
    if (!has(row)) rows_.push_back(std::move(row));
  }
}

bool RowStore::has(const Row& row) const {
  return std::any_of(rows_.begin(), rows_.end(), [&](const Row& other) { return other.key() == row.key(); });
}

void RowStore::add(Row row) {
  rows_.push_back(std::move(row));
  save();
}

void RowStore::save() const {
  if (!csv_.empty()) engine::write_atomically(csv_, to_csv(rows_));
  if (!json_.empty()) engine::write_atomically(json_, to_json(rows_));
}

}  // namespace bramble::bench
