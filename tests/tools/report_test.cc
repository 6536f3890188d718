// RUN/report.html from known numbers.
#include "tools/train/report.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/files.h"

namespace bramble::train {
namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

RunReport example() {
  RunReport report{.title = "model on <data>",
                   .facts = {{"what", "42 %"}},
                   .history = {},
                   .classes = {"a&b", "c", "d"},
                   .evaluation = {},
                   .worst = {},
                   .times = {},
                   .memory = {1 << 20, 3 << 20, 5 << 20},
                   .process_peak = 7 << 20};
  for (int i = 1; i <= 1000; ++i) report.history.steps.push_back({static_cast<double>(i), 1.0 / i, 0.5});
  report.history.epochs = {{500, 0.5, 0.5, 0.7, 0.6}, {1000, 0.4, 0.6, 0.6, 0.7}};
  report.evaluation.images = 20;
  report.evaluation.confusion = {{8, 2, 0}, {0, 10, 0}, {0, 0, 0}};
  report.worst = {
      {{.sample = 3, .label = 0, .predicted = 1, .probability = 0.876, .loss = 3}, "/photos/<x>.jpg", {1, 2, 3}}};
  report.times = {{"conv2d", 0.75}, {"sgd", 0.25}};
  return report;
}

TEST(Report, HasAllItsParts) {
  const std::string html = to_html(example());
  EXPECT_NE(html.find("model on &lt;data&gt;"), std::string::npos);
  EXPECT_NE(html.find("<b>42 %</b><span>what</span>"), std::string::npos);
  EXPECT_NE(html.find("rgba(var(--heat), 0.52)\">8</td>"), std::string::npos) << "0.65 * 8 / 10";
  EXPECT_NE(html.find("<td>80 %</td>"), std::string::npos);
  EXPECT_NE(html.find("<b>a&amp;b</b> taken for <b>c</b> (88 %)<br>&lt;x&gt;.jpg"), std::string::npos);
  EXPECT_NE(html.find("data:image/jpeg;base64,AQID"), std::string::npos);
  EXPECT_NE(html.find("750 ms"), std::string::npos);
  EXPECT_NE(html.find("75.0 %"), std::string::npos);
  EXPECT_NE(html.find("5.0 MiB"), std::string::npos);
  EXPECT_NE(html.find("7.0 MiB"), std::string::npos);
  EXPECT_EQ(html.find("http"), std::string::npos) << "self-contained";
}

TEST(Report, ManyStepsAreMeansOfNeighbours) {
  const std::string html = to_html(example());
  const std::size_t begin = html.find("points=\"");
  const std::string points = html.substr(begin, html.find('"', begin + 8) - begin);
  EXPECT_EQ(count(points, ","), 250U) << "1000 steps, four to a point";
}

TEST(Report, ManyClassesBecomeAListOfPairs) {
  RunReport report = example();
  report.classes.clear();
  for (int i = 0; i < 100; ++i) report.classes.push_back("class" + std::to_string(i));
  report.evaluation.confusion.assign(100, std::vector<std::size_t>(100, 0));
  report.evaluation.confusion[7][93] = 3;
  report.evaluation.confusion[7][7] = 1;
  const std::string html = to_html(report);
  EXPECT_EQ(html.find("Confusion matrix"), std::string::npos);
  EXPECT_NE(html.find("<td>class7</td><td>class93</td><td>3</td><td>75.0 %</td>"), std::string::npos);
}

TEST(Report, WithoutEvaluationItHasNoneOfIt) {
  RunReport report = example();
  report.evaluation = {};
  report.history.epochs = {{500, 0.5, 0.5, std::nan(""), std::nan("")}};
  const std::string html = to_html(report);
  for (const char* part : {"Confusion", "mistakes", "evaluation", "nan"})
    EXPECT_EQ(html.find(part, html.find("</style>")), std::string::npos) << part;
}

TEST(Report, SaysWhereTheTimesAreNotKnown) {
  RunReport report = example();
  report.times = {};
  EXPECT_NE(to_html(report).find("not known: the run was continued after its last step"), std::string::npos);
  EXPECT_EQ(to_html(example()).find("not known"), std::string::npos);
}

TEST(History, IsWhatTheMetricsSay) {
  const test::TemporaryFolder folder;
  test::write_whole(folder / "m.jsonl", R"({"step":1,"loss":2.5,"top1":0.25}
{"step":2,"skipped":"nan","where":"x"}
{"step":2,"finished_epoch":1,"train_loss":2.5,"train_top1":0.25,"val_loss":2.0,"val_top1":0.5}
{"step":3,"lo)");
  const History history = read_history(folder / "m.jsonl");
  ASSERT_EQ(history.steps.size(), 1U);
  EXPECT_EQ(history.steps[0].loss, 2.5);
  ASSERT_EQ(history.epochs.size(), 1U);
  EXPECT_EQ(history.epochs[0].val_top1, 0.5);
  EXPECT_EQ(history.skipped, 1);
}

}  // namespace
}  // namespace bramble::train
