#include "tools/html/charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tools/html/page.h"

namespace bramble::html {
namespace {

constexpr double kWidth = 640;
constexpr double kHeight = 280;
constexpr double kLeft = 52;
constexpr double kRight = 14;
constexpr double kTop = 10;
constexpr double kBottom = 38;

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void take(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return low > high; }
  /// Where `value` lies, from 0 to 1.
  double at(double value) const { return high > low ? (value - low) / (high - low) : 0.5; }
};

double across(double share) { return kLeft + share * (kWidth - kLeft - kRight); }
double down(double share) { return kHeight - kBottom - share * (kHeight - kTop - kBottom); }

bool finite(const std::pair<double, double>& point) {
  return std::isfinite(point.first) && std::isfinite(point.second);
}

std::string open_svg(double width, double height) {
  return fmt::format("<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\">\n", width, height);
}

/// A grid line and its number.
std::string y_tick(double share, const std::string& text) {
  return fmt::format("<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{1:.1f}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>"
                     "<text x=\"{3:.1f}\" y=\"{4:.1f}\" text-anchor=\"end\">{5}</text>\n",
                     kLeft, kWidth - kRight, down(share), kLeft - 7, down(share) + 4, text);
}

std::string x_tick(double share, const std::string& text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n", across(share),
                     kHeight - kBottom + 16, text);
}

std::string x_name(const std::string& label) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n", across(0.5), kHeight - 5,
                     escape(label));
}

std::string curve(const Series& one, std::size_t colour, const Range& x, const Range& y) {
  std::string points;
  std::string markers;
  for (const auto& point : one.points) {
    if (!finite(point)) continue;
    const double left = across(x.at(point.first)), top = down(std::clamp(y.at(point.second), 0.0, 1.0));
    points += fmt::format("{:.1f},{:.1f} ", left, top);
    if (one.points.size() <= 60)
      markers +=
          fmt::format("<circle class=\"c{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.4\"><title>{}: {:.4g}</title></circle>",
                      colour, left, top, escape(one.name), point.second);
  }
  return fmt::format("<polyline class=\"curve c{}\" points=\"{}\"/>{}\n", colour, points, markers);
}

/// The value that `share` of all finite ones are not above.
double percentile(const std::vector<Series>& series, double share) {
  std::vector<double> values;
  for (const Series& one : series)
    for (const auto& point : one.points)
      if (finite(point)) values.push_back(point.second);
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

/// 1, 2 and 5 times powers of ten in the range.
std::vector<double> logarithmic_ticks(const Range& range) {
  std::vector<double> ticks;
  for (int power = static_cast<int>(std::floor(std::log10(range.low))); std::pow(10, power) <= range.high; ++power)
    for (const double digit : {1.0, 2.0, 5.0}) {
      const double tick = digit * std::pow(10, power);
      if (tick >= range.low && tick <= range.high) ticks.push_back(tick);
    }
  return ticks;
}

}  // namespace

std::vector<double> round_ticks(double low, double high, int count) {
  const double rough = (high - low) / count;
  if (!(rough > 0)) return {low};
  const double power = std::pow(10, std::floor(std::log10(rough)));
  const double digit = rough / power;
  const double step = power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
  std::vector<double> ticks;
  for (auto i = static_cast<long>(std::ceil(low / step - 1e-9)); static_cast<double>(i) * step <= high + 1e-9 * step;
       ++i)
    ticks.push_back(static_cast<double>(i) * step);
  return ticks;
}

std::string legend(const std::vector<std::string>& names) {
  std::string text = "<div class=\"legend\">";
  for (std::size_t i = 0; i < names.size(); ++i) text += fmt::format("<i class=\"c{}\"></i>{}", i, escape(names[i]));
  return text + "</div>\n";
}

std::string line_chart(const std::vector<Series>& series, const std::string& x_label, bool percent) {
  Range x, y;
  x.take(0);
  for (const Series& one : series)
    for (const auto& point : one.points)
      if (finite(point)) {
        x.take(point.first);
        y.take(point.second);
      }
  if (percent) y = {0, 1};
  if (y.empty()) return "<p class=\"note\">no values</p>\n";
  std::string cut;
  if (!percent) {
    y.low = std::min(y.low, 0.0);
    // One wild value would press all others into a line.
    if (const double most = 3 * percentile(series, 0.9); y.high > most && most > y.low) {
      cut = fmt::format(
          "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">cut off above; the largest is {:.4g}</text>\n",
          across(1) - 4, kTop + 12, y.high);
      y.high = most;
    }
    y.high += 0.05 * (y.high - y.low);
  }
  std::string svg = open_svg(kWidth, kHeight) + cut;
  for (const double tick : round_ticks(y.low, y.high, 5))
    svg += y_tick(y.at(tick), percent ? fmt::format("{:.0f} %", 100 * tick) : fmt::format("{:.6g}", tick));
  for (const double tick : round_ticks(x.low, x.high, 6)) svg += x_tick(x.at(tick), fmt::format("{:.6g}", tick));
  svg += x_name(x_label);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < series.size(); ++i) {
    svg += curve(series[i], i, x, y);
    names.push_back(series[i].name);
  }
  return legend(names) + svg + "</svg>\n";
}

std::string bar_chart(const std::vector<Bars>& rows, const std::string& unit) {
  constexpr double kNames = 180, kNotes = 220, kBar = 11, kGap = 9;
  double largest = 0;
  double height = 4;
  for (const Bars& row : rows) {
    for (const double value : row.values)
      if (std::isfinite(value)) largest = std::max(largest, value);
    height += kBar * static_cast<double>(row.values.size()) + kGap;
  }
  std::string svg = open_svg(kWidth + 200, height);
  const double room = kWidth + 200 - kNames - kNotes;
  double top = 4;
  for (const Bars& row : rows) {
    const double tall = kBar * static_cast<double>(row.values.size());
    svg += fmt::format("<text class=\"name\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>", kNames - 8,
                       top + tall / 2 + 4, escape(row.name));
    double end = kNames;
    for (std::size_t i = 0; i < row.values.size(); ++i) {
      if (!std::isfinite(row.values[i])) continue;
      const double length = largest > 0 ? std::max(1.0, room * row.values[i] / largest) : 1;
      svg += fmt::format("<rect class=\"c{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"2\"/>",
                         i, kNames, top + kBar * static_cast<double>(i), length, kBar - 1.5);
      svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{:.3g} {}</text>", kNames + length + 5,
                         top + kBar * static_cast<double>(i) + 9, row.values[i], escape(unit));
      end = std::max(end, kNames + length);
    }
    if (!row.note.empty())
      svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", end + 86, top + tall / 2 + 4, escape(row.note));
    svg += '\n';
    top += tall + kGap;
  }
  return svg + "</svg>\n";
}

std::string scatter_chart(const std::vector<std::vector<Point>>& series, const std::string& x_label,
                          const std::string& y_label) {
  Range x, y;
  for (const auto& points : series)
    for (const Point& point : points) {
      x.take(point.x);
      y.take(point.y);
    }
  if (x.empty() || x.low <= 0) return "<p class=\"note\">no values</p>\n";
  x = {x.low / 1.25, x.high * 1.25};
  y = {y.low - 1.5, y.high + 1.5};
  const Range logarithmic{std::log10(x.low), std::log10(x.high)};
  std::string svg = open_svg(kWidth, kHeight + 60);
  const auto place = [&](double share) { return down(share) + 60 * (1 - share); };
  for (const double tick : round_ticks(y.low, y.high, 6))
    svg += fmt::format("<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{1:.1f}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>"
                       "<text x=\"{3:.1f}\" y=\"{4:.1f}\" text-anchor=\"end\">{5:.6g}</text>\n",
                       kLeft, kWidth - kRight, place(y.at(tick)), kLeft - 7, place(y.at(tick)) + 4, tick);
  svg += "<g transform=\"translate(0 60)\">";
  for (const double tick : logarithmic_ticks(x))
    svg += x_tick(logarithmic.at(std::log10(tick)), fmt::format("{:.6g}", tick));
  svg += x_name(x_label) + "</g>";
  svg +=
      fmt::format("<text x=\"14\" y=\"{:.1f}\" transform=\"rotate(-90 14 {:.1f})\" text-anchor=\"middle\">{}</text>\n",
                  place(0.5), place(0.5), escape(y_label));
  for (std::size_t i = 0; i < series.size(); ++i)
    for (const Point& point : series[i]) {
      const double left = across(logarithmic.at(std::log10(point.x))), top = place(y.at(point.y));
      const bool leftwards = left > kWidth / 2;  // so that no name leaves the chart
      svg += fmt::format("<g class=\"point\"><circle class=\"c{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5\"/>"
                         "<text class=\"tip\" x=\"{:.1f}\" y=\"{:.1f}\"{}>{}</text></g>\n",
                         i, left, top, left + (leftwards ? -9 : 9), top + 4,
                         leftwards ? " text-anchor=\"end\"" : "", escape(point.name));
    }
  return svg + "</svg>\n";
}

}  // namespace bramble::html
