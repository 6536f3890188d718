#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tools/html/charts.h"
#include "tools/html/page.h"

namespace bramble::html {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr const char* kHostile = "<script>\"&'";

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(Page, EscapesWhatWouldBeMarkup) {
  EXPECT_EQ(escape("a<b>&\"'"), "a&lt;b&gt;&amp;&quot;&#39;");
  EXPECT_EQ(page(kHostile, "").find("<script>"), std::string::npos);
}

TEST(Page, LoadsNothingFromElsewhere) {
  const std::string text = page("t", line_chart({{"a", {{1, 1}, {2, 3}}}}, "x", false));
  for (const char* outside : {"http:", "https:", "src=", "@import", "<link"})
    EXPECT_EQ(text.find(outside), std::string::npos);
}

/// RFC 4648, section 10.
TEST(Base64, IsTheStandards) {
  const auto of = [](std::string_view text) {
    return base64({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  };
  EXPECT_EQ(of(""), "");
  EXPECT_EQ(of("f"), "Zg==");
  EXPECT_EQ(of("fo"), "Zm8=");
  EXPECT_EQ(of("foo"), "Zm9v");
  EXPECT_EQ(of("foobar"), "Zm9vYmFy");
  EXPECT_EQ(of("\xff\xfe\xfd"), "//79");
}

TEST(Ticks, AreRound) {
  EXPECT_EQ(round_ticks(0, 1, 5), (std::vector<double>{0, 0.2, 0.4, 0.6000000000000001, 0.8, 1}));
  EXPECT_EQ(round_ticks(13, 78, 6), (std::vector<double>{20, 40, 60}));
  EXPECT_EQ(round_ticks(2, 2, 6), (std::vector<double>{2}));
}

TEST(LineChart, LeavesOutWhatIsNotFinite) {
  const std::string chart = line_chart({{kHostile, {{0, 1}, {1, kNan}, {2, 0.5}}}}, kHostile, false);
  EXPECT_EQ(chart.find("nan"), std::string::npos);
  EXPECT_EQ(chart.find("<script>"), std::string::npos);
  EXPECT_EQ(count(chart, "<circle"), 2U);
  EXPECT_NE(line_chart({{"none", {{1, kNan}}}}, "x", false).find("no values"), std::string::npos);
}

TEST(LineChart, OneWildValueIsCutOffAndNamed) {
  Series series{"a", {{0, 1000}}};
  for (int i = 1; i <= 20; ++i) series.points.emplace_back(i, 2);
  const std::string chart = line_chart({series}, "x", false);
  EXPECT_NE(chart.find("the largest is 1000"), std::string::npos);
  EXPECT_EQ(chart.find(">200<"), std::string::npos) << "the axis ends near 3 times what is usual";
  series.points[0].second = 4;
  EXPECT_EQ(line_chart({series}, "x", false).find("cut off"), std::string::npos);
}

TEST(LineChart, ThePercentageReachesFromNoneToAll) {
  const std::string chart = line_chart({{"a", {{0, 0}, {10, 1}}}}, "x", true);
  EXPECT_NE(chart.find(">0 %<"), std::string::npos);
  EXPECT_NE(chart.find(">100 %<"), std::string::npos);
  EXPECT_NE(chart.find("points=\"52.0,242.0 626.0,10.0 \""), std::string::npos) << "from corner to corner: " << chart;
}

TEST(BarChart, LengthsAreInProportion) {
  const std::string chart = bar_chart({{kHostile, {2, 4}, "note"}, {"other", {1, kNan}, ""}}, "s");
  EXPECT_EQ(count(chart, "<rect"), 3U);
  EXPECT_NE(chart.find("width=\"440.0\""), std::string::npos) << chart;
  EXPECT_NE(chart.find("width=\"220.0\""), std::string::npos);
  EXPECT_NE(chart.find("width=\"110.0\""), std::string::npos);
  EXPECT_EQ(chart.find("<script>"), std::string::npos);
}

TEST(ScatterChart, NamesEveryPoint) {
  const std::string chart = scatter_chart({{{"ours", 1, 70}, {kHostile, 10, 80}}, {{"theirs", 5, 75}}}, "s", "%");
  EXPECT_EQ(count(chart, "<circle class=\"c0\""), 2U);
  EXPECT_EQ(count(chart, "<circle class=\"c1\""), 1U);
  EXPECT_NE(chart.find(">theirs</text>"), std::string::npos);
  EXPECT_EQ(chart.find("<script>"), std::string::npos);
  EXPECT_NE(scatter_chart({{}, {}}, "s", "%").find("no values"), std::string::npos);
}

}  // namespace
}  // namespace bramble::html
