// Charts as inline SVG. Names are escaped here; colours are the page's, by a series' number (at most three).
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace bramble::html {

struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;  ///< by rising x; what is not finite is left out
};

/// Curves over x from 0. As a percentage, y goes from 0 to 1 and is labelled 0 % to 100 %.
std::string line_chart(const std::vector<Series>& series, const std::string& x_label, bool percent);

struct Bars {
  std::string name;
  std::vector<double> values;  ///< a bar each, one below the other, in the series' order; NaN: none
  std::string note;            ///< after the bars
};

/// Horizontal bars from 0, each with its value and `unit`.
std::string bar_chart(const std::vector<Bars>& rows, const std::string& unit);

struct Point {
  std::string name;  ///< shown while the mouse is on it
  double x = 0;
  double y = 0;
};

/// x on a logarithmic axis. One list of points a series.
std::string scatter_chart(const std::vector<std::vector<Point>>& series, const std::string& x_label,
                          const std::string& y_label);

/// A line that names the series by their colours.
std::string legend(const std::vector<std::string>& names);

/// Round numbers from `low` to `high`, about `count` of them.
std::vector<double> round_ticks(double low, double high, int count);

}  // namespace bramble::html
