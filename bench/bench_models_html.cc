#include "bench/bench_models_html.h"

#include <fmt/format.h>

#include <set>

#include "bench/bench_models_published.h"
#include "models/registry.h"
#include "tools/html/charts.h"
#include "tools/html/page.h"

namespace bramble::bench {
namespace {

const std::vector<std::string> kSeries = {"Bramble", "PyTorch 1.13, published for a Raspberry Pi 5"};

std::vector<Row> rows_of(const std::vector<Row>& rows, Task task) {
  std::vector<Row> found;
  for (const Row& row : rows)
    if (row.task == to_string(task)) found.push_back(row);
  return found;
}

bool follows_protocol(const Row& row) { return row.batch == 16 && row.size == 224 && row.classes == 1000; }

std::string bars(const std::vector<Row>& rows, Task task) {
  std::vector<html::Bars> bars;
  for (const Row& row : rows) {
    const auto published = published_seconds(row.model, Board::raspberry_pi_5, task);
    html::Bars one{row.model, {row.seconds_median}, {}};
    if (published && follows_protocol(row)) {
      one.values.push_back(*published);
      one.note = fmt::format("{:.1f} times as fast", *published / row.seconds_median);
    }
    bars.push_back(std::move(one));
  }
  return html::legend(kSeries) + html::bar_chart(bars, "s");
}

html::Point point(const models::ModelInfo& info, double seconds, const char* who) {
  return {fmt::format("{} ({}): {:.3g} s, {:.1f} %", info.name, who, seconds, info.top1), seconds, info.top1};
}

std::string scatter(const std::vector<Row>& rows, Task task) {
  std::vector<html::Point> ours, published;
  for (const Row& row : rows) {
    const models::ModelInfo& info = models::find_model(row.model);
    if (info.top1 > 0) ours.push_back(point(info, row.seconds_median, "Bramble"));
  }
  for (const models::ModelInfo& info : models::all_models())
    if (const auto seconds = published_seconds(info.name, Board::raspberry_pi_5, task); seconds && info.top1 > 0)
      published.push_back(point(info, *seconds, "PyTorch"));
  return html::legend(kSeries) + "<div style=\"max-width: 780px\">" +
         html::scatter_chart({ours, published}, "seconds a batch", "top-1 on ImageNet-1k, %") + "</div>\n";
}

std::string section(const std::vector<Row>& rows, Task task) {
  const std::vector<Row> chosen = rows_of(rows, task);
  if (chosen.empty()) return "";
  const char* const title = task == Task::train ? "Training all parameters" : "Training the head";
  return fmt::format("<h2>{}: seconds a batch</h2>\n{}<h2>{}: accuracy against seconds a batch</h2>\n{}", title,
                     bars(chosen, task), title, scatter(chosen, task));
}

}  // namespace

std::string to_html(const std::vector<Row>& rows) {
  std::string body = "<h1>Bramble: training steps</h1>\n";
  std::set<std::string> settings;
  bool all_follow = true;
  for (const Row& row : rows) {
    settings.insert(fmt::format("{}, {} threads: batches of {} at {} x {}, {} classes, median of {} steps", row.machine,
                                row.threads, row.batch, row.size, row.size, row.classes, row.steps));
    all_follow = all_follow && follows_protocol(row);
  }
  for (const std::string& line : settings) body += "<p class=\"note\">" + html::escape(line) + "</p>\n";
  if (!all_follow)
    body += "<p class=\"note\">The published seconds are for batches of 16 at 224 x 224 and 1000 classes: not all rows here "
            "compare with them.</p>\n";
  body += section(rows, Task::train) + section(rows, Task::head);
  if (rows.empty()) body += "<p class=\"note\">no model has run</p>\n";
  return html::page("Bramble: training steps", body);
}

}  // namespace bramble::bench
