#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "bench/bench_models_html.h"
#include "bench/bench_models_machine.h"
#include "bench/bench_models_published.h"
#include "bench/bench_models_report.h"
#include "bench/bench_models_rows.h"
#include "engine/data/file.h"
#include "tests/support/files.h"

namespace bramble::bench {
namespace {

Row example() {
  Row row;
  row.model = "resnet18";
  row.task = "train";
  row.batch = 16;
  row.size = 224;
  row.classes = 1000;
  row.threads = 4;
  row.steps = 20;
  row.seconds_median = 1.0 / 3;
  row.images_per_s = 48;
  row.share_of_fp32_limit = 0.5;
  row.planned_peak_bytes = std::int64_t{5} << 30;
  row.final_loss = 6.5;
  row.machine = "Board, \"the\" best";
  return row;
}

void expect_equal(const Row& a, const Row& b) {
  EXPECT_EQ(to_csv({a}), to_csv({b}));
  EXPECT_EQ(a.key(), b.key());
}

TEST(Rows, ComeBackFromCsv) {
  Row without = example();
  without.share_of_fp32_limit.reset();
  const std::vector<Row> rows = rows_from_csv(to_csv({example(), without}), "x.csv");
  ASSERT_EQ(rows.size(), 2U);
  expect_equal(rows[0], example());
  EXPECT_EQ(rows[0].seconds_median, 1.0 / 3);
  EXPECT_EQ(rows[0].machine, "Board, \"the\" best");
  EXPECT_FALSE(rows[1].share_of_fp32_limit.has_value());
}

TEST(Rows, ComeBackFromJson) {
  const std::vector<Row> rows = rows_from_json(to_json({example()}), "x.json");
  ASSERT_EQ(rows.size(), 1U);
  expect_equal(rows[0], example());
}

TEST(Rows, ALossThatIsNoNumberSurvives) {
  Row row = example();
  row.final_loss = std::nan("");
  EXPECT_TRUE(nlohmann::json::parse(to_json({row}))[0]["final_loss"].is_null());
  EXPECT_TRUE(std::isnan(rows_from_json(to_json({row}), "x.json")[0].final_loss));
  EXPECT_TRUE(std::isnan(rows_from_csv(to_csv({row}), "x.csv")[0].final_loss));
}

TEST(Rows, OtherTextIsRefused) {
  EXPECT_THROW(rows_from_csv("", "x.csv"), engine::FileError);
  EXPECT_THROW(rows_from_csv("a,b\n", "x.csv"), engine::FileError);
  std::string csv = to_csv({example()});
  EXPECT_THROW(rows_from_csv(csv.substr(0, csv.size() - 40), "x.csv"), engine::FileError);
  csv.replace(csv.find(",16,"), 4, ",1x,");
  EXPECT_THROW(rows_from_csv(csv, "x.csv"), engine::FileError);
  EXPECT_THROW(rows_from_json("[{}]", "x.json"), engine::FileError);
  EXPECT_THROW(rows_from_json("{\"rows\": 3}", "x.json"), engine::FileError);
}

TEST(RowStore, EveryRowIsOnDiskAtOnce) {
  const test::TemporaryFolder folder;
  RowStore store(folder / "a.csv", folder / "a.json", false);
  EXPECT_FALSE(std::filesystem::exists(folder / "a.csv")) << "nothing is touched before the first row";
  store.add(example());
  EXPECT_EQ(test::read_whole(folder / "a.csv"), to_csv({example()}));
  EXPECT_EQ(test::read_whole(folder / "a.json"), to_json({example()}));
}

TEST(RowStore, ResumeUnitesBothFiles) {
  const test::TemporaryFolder folder;
  Row other = example();
  other.task = "head";
  test::write_whole(folder / "a.csv", to_csv({example()}));
  test::write_whole(folder / "a.json", to_json({example(), other}));
  const RowStore store(folder / "a.csv", folder / "a.json", true);
  EXPECT_EQ(store.rows().size(), 2U);
  EXPECT_TRUE(store.has(other));
  other.threads = 2;
  EXPECT_FALSE(store.has(other));
  EXPECT_EQ(test::read_whole(folder / "a.csv"), test::read_whole(folder / "a.csv"));
  EXPECT_EQ(rows_from_csv(test::read_whole(folder / "a.csv"), "a.csv").size(), 2U);
}

TEST(Published, FiguresAreThoseOfTheBoardAndTask) {
  EXPECT_EQ(published_seconds("resnet18", Board::raspberry_pi_5, Task::train), 5.843);
  EXPECT_EQ(published_seconds("resnet18", Board::raspberry_pi_4, Task::head), 3.928);
  EXPECT_EQ(published_seconds("deit_tiny", Board::raspberry_pi_5, Task::head), 1.1);
  EXPECT_FALSE(published_seconds("deit_tiny", Board::raspberry_pi_5, Task::train).has_value());
  EXPECT_FALSE(published_seconds("resnet18", Board::other, Task::train).has_value());
  EXPECT_FALSE(published_seconds("resnet99", Board::raspberry_pi_5, Task::train).has_value());
}

TEST(Published, OnlyTheSameProtocolIsCompared) {
  Options options;
  EXPECT_TRUE(is_published_protocol(options));
  options.batch = 8;
  EXPECT_FALSE(is_published_protocol(options));
}

TEST(Machine, BoardsAreKnownByTheirName) {
  EXPECT_EQ(board_of("Raspberry Pi 5 Model B Rev 1.0"), Board::raspberry_pi_5);
  EXPECT_EQ(board_of("Raspberry Pi Compute Module 5 Rev 1.0"), Board::raspberry_pi_5);
  EXPECT_EQ(board_of("Raspberry Pi 4 Model B Rev 1.4"), Board::raspberry_pi_4);
  EXPECT_EQ(board_of("Raspberry Pi 500 Rev 1.0"), Board::raspberry_pi_5);
  EXPECT_EQ(board_of("AMD EPYC"), Board::other);
  EXPECT_FALSE(machine_name().empty());
}

TEST(Machine, TheLimitCountsFourCoresAtMost) {
  EXPECT_DOUBLE_EQ(*fp32_limit(Board::raspberry_pi_5, 1), 38.4e9);
  EXPECT_DOUBLE_EQ(*fp32_limit(Board::raspberry_pi_5, 8), 153.6e9);
  EXPECT_FALSE(fp32_limit(Board::other, 4).has_value());
}

TEST(Machine, PeakMemoryStartsAnew) {
  {
    const std::vector<char> large(std::size_t{200} << 20, 'x');
    EXPECT_EQ(large.back(), 'x');
  }
  EXPECT_GT(process_peak_bytes(), std::size_t{200} << 20);
}

TEST(Report, OneLineARowAndWhatTheLimitMeans) {
  const std::string text = report({example()});
  EXPECT_NE(text.find("resnet18"), std::string::npos);
  EXPECT_NE(text.find("50 %"), std::string::npos);
  EXPECT_NE(text.find("38.4 GFLOP/s a core"), std::string::npos);
  EXPECT_EQ(report({}), "");
}

TEST(Html, OursBesideThePublished) {
  Row other = example();
  other.model = "vit_tiny";
  other.batch = 4;
  const std::string html = to_html({example(), other});
  EXPECT_NE(html.find("Board, &quot;the&quot; best"), std::string::npos);
  EXPECT_NE(html.find("17.5 times as fast"), std::string::npos) << "5.843 s published, 1/3 s here";
  EXPECT_EQ(html.find("times as fast"), html.rfind("times as fast")) << "a batch of 4 is not compared";
  EXPECT_NE(html.find("not all rows here compare"), std::string::npos);
  EXPECT_NE(html.find("resnet18 (Bramble): 0.333 s, 69.8 %"), std::string::npos);
  EXPECT_NE(html.find("resnet50 (PyTorch): 16.1 s, 78.0 %"), std::string::npos) << "also models that did not run";
  EXPECT_EQ(html.find("Training the head"), std::string::npos) << "no such row";
  EXPECT_NE(to_html({}).find("no model has run"), std::string::npos);
}

}  // namespace
}  // namespace bramble::bench
