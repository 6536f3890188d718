#include "tools/train/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>

#include "engine/data/file.h"
#include "engine/data/jpeg.h"
#include "engine/data/resize.h"
#include "tools/html/charts.h"
#include "tools/html/page.h"

namespace bramble::train {
namespace {

using html::escape;

constexpr std::size_t kCurvePoints = 300;     // more than a screen shows apart
constexpr std::size_t kMatrixClasses = 24;    // beyond that the pairs that are confused most often
constexpr std::size_t kPairs = 20;
constexpr double kSmallOp = 0.002;  // share of the step below which ops are one bar together
constexpr int kThumbnail = 128;  // pixels a side
constexpr int kJpegQuality = 80;

/// Means of as many neighbouring steps as leave kCurvePoints.
template <class Value>
html::Series thinned(const std::string& name, const std::vector<StepPoint>& steps, Value value) {
  html::Series series{name, {}};
  const std::size_t bucket = std::max<std::size_t>(1, (steps.size() + kCurvePoints - 1) / kCurvePoints);
  for (std::size_t begin = 0; begin < steps.size(); begin += bucket) {
    const std::size_t end = std::min(begin + bucket, steps.size());
    double x = 0, y = 0;
    for (std::size_t i = begin; i < end; ++i) {
      x += steps[i].step;
      y += value(steps[i]);
    }
    const auto count = static_cast<double>(end - begin);
    series.points.emplace_back(x / count, y / count);
  }
  return series;
}

template <class Value>
html::Series by_epoch(const std::string& name, const std::vector<EpochPoint>& epochs, Value value) {
  html::Series series{name, {}};
  for (const EpochPoint& epoch : epochs) series.points.emplace_back(epoch.step, value(epoch));
  return series;
}

bool evaluated(const History& history) {
  return std::ranges::any_of(history.epochs, [](const EpochPoint& epoch) { return std::isfinite(epoch.val_loss); });
}

std::string curves(const History& history) {
  std::vector<html::Series> loss = {thinned("training, by step", history.steps, [](const auto& s) { return s.loss; })};
  std::vector<html::Series> top1 = {
      by_epoch("training, by epoch", history.epochs, [](const auto& e) { return e.train_top1; })};
  if (evaluated(history)) {
    loss.push_back(by_epoch("evaluation", history.epochs, [](const auto& e) { return e.val_loss; }));
    top1.push_back(by_epoch("evaluation", history.epochs, [](const auto& e) { return e.val_top1; }));
  }
  return "<div class=\"row\"><figure><h2>Loss</h2>" + html::line_chart(loss, "step", false) +
         "</figure><figure><h2>Accuracy (top-1)</h2>" + html::line_chart(top1, "step", true) + "</figure></div>\n";
}

std::size_t images_of(const std::vector<std::size_t>& row) {
  return std::accumulate(row.begin(), row.end(), std::size_t{0});
}

/// Rows are true classes; the shade is the share of the row.
std::string matrix(const RunReport& report) {
  std::string text = "<div class=\"scroll\"><table class=\"matrix\"><tr><th class=\"from\">true \\ predicted</th>";
  for (const std::string& name : report.classes) text += "<th class=\"to\">" + escape(name) + "</th>";
  text += "<th class=\"to\">right</th></tr>\n";
  for (std::size_t from = 0; from < report.classes.size(); ++from) {
    const std::vector<std::size_t>& row = report.evaluation.confusion[from];
    const std::size_t images = images_of(row);
    text += "<tr><th class=\"from\">" + escape(report.classes[from]) + "</th>";
    for (std::size_t to = 0; to < row.size(); ++to) {
      const double share = images > 0 ? static_cast<double>(row[to]) / static_cast<double>(images) : 0;
      text +=
          fmt::format("<td{} style=\"background: rgba(var(--heat), {:.2f})\">{}</td>",
                      from == to ? " class=\"right\"" : "", 0.65 * share, row[to] > 0 ? std::to_string(row[to]) : "");
    }
    text += images > 0 ? fmt::format("<td>{:.0f} %</td></tr>\n",
                                     100.0 * static_cast<double>(row[from]) / static_cast<double>(images))
                       : std::string("<td>-</td></tr>\n");
  }
  return text + "</table></div>\n";
}

std::string confused_pairs(const RunReport& report) {
  struct Pair {
    std::size_t from, to, images;
  };
  std::vector<Pair> pairs;
  for (std::size_t from = 0; from < report.evaluation.confusion.size(); ++from)
    for (std::size_t to = 0; to < report.evaluation.confusion[from].size(); ++to)
      if (from != to && report.evaluation.confusion[from][to] > 0)
        pairs.push_back({from, to, report.evaluation.confusion[from][to]});
  std::ranges::stable_sort(pairs, [](const Pair& a, const Pair& b) { return a.images > b.images; });
  pairs.resize(std::min(pairs.size(), kPairs));
  std::string text =
      "<div class=\"scroll\"><table><tr><th>true</th><th>taken for</th><th>images</th><th>of the class</th></tr>\n";
  for (const Pair& pair : pairs)
    text += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{:.1f} %</td></tr>\n",
                        escape(report.classes[pair.from]), escape(report.classes[pair.to]), pair.images,
                        100.0 * static_cast<double>(pair.images) /
                            static_cast<double>(images_of(report.evaluation.confusion[pair.from])));
  return text + "</table></div>\n";
}

std::string confusion(const RunReport& report) {
  if (report.classes.size() <= kMatrixClasses) return "<h2>Confusion matrix</h2>\n" + matrix(report);
  return "<h2>Most often confused</h2>\n" + confused_pairs(report);
}

std::string mistakes(const RunReport& report) {
  std::string text = "<h2>Worst mistakes</h2>\n";
  if (report.worst.empty()) return text + "<p class=\"note\">none</p>\n";
  text += "<div class=\"mistakes\">\n";
  for (const Thumbnail& one : report.worst) {
    const auto& classes = report.classes;
    text += fmt::format(
        "<figure><img alt=\"\" src=\"data:image/jpeg;base64,{}\" title=\"{}\"><figcaption><b>{}</b> taken for "
        "<b>{}</b> ({:.0f} %)<br>{}</figcaption></figure>\n",
        html::base64(one.jpeg), escape(one.name), escape(classes[static_cast<std::size_t>(one.mistake.label)]),
        escape(classes[one.mistake.predicted]), 100 * one.mistake.probability,
        escape(std::filesystem::path(one.name).filename().string()));
  }
  return text + "</div>\n";
}

std::string times(const std::vector<OpTime>& ops) {
  if (ops.empty())
    return "<h2>Time by op</h2>\n<p class=\"note\">not known: the run was continued after its last step</p>\n";
  double total = 0, rest = 0;
  for (const OpTime& op : ops) total += op.seconds;
  std::vector<html::Bars> bars;
  const auto add = [&](const std::string& name, double seconds) {
    bars.push_back({name, {1000 * seconds}, fmt::format("{:.1f} %", 100 * seconds / total)});
  };
  for (const OpTime& op : ops) {
    if (op.seconds < kSmallOp * total)
      rest += op.seconds;
    else
      add(op.op, op.seconds);
  }
  if (rest > 0) add(fmt::format("{} others", ops.size() - bars.size()), rest);
  return fmt::format("<h2>Time by op</h2>\n<p class=\"note\">the last step: {:.3f} s</p>\n", total) +
         html::bar_chart(bars, "ms");
}

std::string memory(const RunReport& report) {
  const auto row = [](const char* what, std::size_t bytes) {
    return fmt::format("<tr><td>{}</td><td>{}</td></tr>\n", what, engine::format_bytes(bytes));
  };
  return "<h2>Memory</h2>\n<table>\n" + row("parameters, statistics, the optimiser's state", report.memory.parameters) +
         row("activations and gradients, planned", report.memory.activations) +
         row("scratch of the kernels", report.memory.scratch) + row("the process at its peak", report.process_peak) +
         "</table>\n";
}

double number_or_nan(const nlohmann::json& line, const char* key) {
  const auto found = line.find(key);
  return found != line.end() && found->is_number() ? found->get<double>() : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

History read_history(const std::filesystem::path& jsonl) {
  History history;
  std::istringstream lines(engine::read_text(jsonl));
  for (std::string text; std::getline(lines, text);) {
    const auto line = nlohmann::json::parse(text, nullptr, false);
    if (!line.is_object()) continue;
    const double step = number_or_nan(line, "step");
    if (line.contains("skipped")) ++history.skipped;
    if (line.contains("loss"))
      history.steps.push_back({step, number_or_nan(line, "loss"), number_or_nan(line, "top1")});
    if (line.contains("finished_epoch"))
      history.epochs.push_back({step, number_or_nan(line, "train_loss"), number_or_nan(line, "train_top1"),
                                number_or_nan(line, "val_loss"), number_or_nan(line, "val_top1")});
  }
  return history;
}

std::vector<OpTime> times_by_op(const engine::Program& program, const engine::StepRecord& record) {
  std::map<std::string, double> seconds;
  for (const engine::PhaseRecord& phase : record.phases)
    seconds[std::string(program.graph().nodes()[phase.node].op->name())] +=
        static_cast<double>(phase.end - phase.begin) * 1e-9;
  std::vector<OpTime> times;
  for (const auto& [op, time] : seconds) times.push_back({op, time});
  std::ranges::stable_sort(times, [](const OpTime& a, const OpTime& b) { return a.seconds > b.seconds; });
  return times;
}

std::vector<Thumbnail> make_thumbnails(const engine::Dataset& data, const Evaluation& evaluation) {
  std::vector<Thumbnail> thumbnails;
  engine::ImageDecoder decoder;
  engine::JpegEncoder encoder;
  engine::Resizer resizer;
  engine::Image image;
  engine::Image small{kThumbnail, kThumbnail, std::vector<std::uint8_t>(std::size_t{kThumbnail} * kThumbnail * 3)};
  for (const Mistake& mistake : evaluation.worst) {
    try {
      data.decode(mistake.sample, decoder, image);
    } catch (const engine::FileError&) {
      continue;
    }
    resizer.resize_and_crop(image, kThumbnail, small.pixels);
    thumbnails.push_back({mistake, data.name(mistake.sample), encoder.encode(small, kJpegQuality)});
  }
  return thumbnails;
}

std::string to_html(const RunReport& report) {
  std::string body = "<h1>" + escape(report.title) + "</h1>\n<div class=\"tiles\">\n";
  for (const auto& [what, value] : report.facts)
    body += "<div><b>" + escape(value) + "</b><span>" + escape(what) + "</span></div>\n";
  body += "</div>\n";
  if (report.history.skipped > 0)
    body +=
        fmt::format("<p class=\"note\">{} steps were skipped: their loss was not finite</p>\n", report.history.skipped);
  body += curves(report.history);
  if (report.evaluation.images > 0) body += confusion(report) + mistakes(report);
  body += times(report.times) + memory(report);
  return html::page(report.title, body);
}

}  // namespace bramble::train
