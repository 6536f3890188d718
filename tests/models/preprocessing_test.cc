#include "models/preprocessing.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "models/registry.h"
#include "tests/support/files.h"

namespace bramble::models {
namespace {

std::array<double, 3> three(const std::string& text) {
  std::istringstream stream(text);
  std::array<double, 3> values{};
  for (double& value : values) {
    stream >> value;
    stream.ignore(1);
  }
  return values;
}

TEST(Preprocessing, IsTimmsForEveryModelOfTheBenchmark) {
  std::ifstream file(test::source_file("models/preprocessing.txt"));
  std::size_t lines = 0;
  for (std::string name, mean, deviation, interpolation; file >> name >> mean >> deviation; ++lines) {
    SCOPED_TRACE(name);
    double crop_pct = 0;
    file >> crop_pct >> interpolation;
    const Preprocessing found = preprocessing_of(name);
    EXPECT_EQ(found.mean, three(mean));
    EXPECT_EQ(found.deviation, three(deviation));
    EXPECT_EQ(found.crop_pct, crop_pct);
    EXPECT_EQ(found.interpolation, interpolation);
  }
  EXPECT_EQ(lines, benchmark_models().size());
  EXPECT_THROW(preprocessing_of("resnet99"), UnknownModel);
}

}  // namespace
}  // namespace bramble::models
