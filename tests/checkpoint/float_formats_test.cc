#include "engine/checkpoint/float_formats.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace bramble::engine {
namespace {

std::uint16_t stored(std::string_view dtype, float value) {
  const auto bytes = from_floats(dtype, {&value, 1});
  std::uint16_t result = 0;
  std::memcpy(&result, bytes.data(), sizeof result);
  return result;
}

TEST(FloatFormats, EverySixteenBitNumberSurvivesTheWayThereAndBack) {
  for (const char* dtype : {"F16", "BF16"}) {
    for (std::uint32_t i = 0; i < 65536; ++i) {
      const auto number = static_cast<std::uint16_t>(i);
      float value = 0;
      ASSERT_TRUE(to_floats(dtype, std::as_bytes(std::span(&number, 1)), {&value, 1}));
      if (std::isnan(value)) {
        float back = 0;
        const std::uint16_t nan = stored(dtype, value);
        to_floats(dtype, std::as_bytes(std::span(&nan, 1)), {&back, 1});
        ASSERT_TRUE(std::isnan(back));
      } else {
        ASSERT_EQ(stored(dtype, value), number) << dtype;
      }
    }
  }
}

TEST(FloatFormats, NarrowingRoundsToTheNearestTiesToEven) {
  EXPECT_EQ(stored("F16", 1.0F + 0x1p-11F), 0x3c00);
  EXPECT_EQ(stored("F16", 1.0F + 0x1.8p-10F), 0x3c02);
  EXPECT_EQ(stored("F16", 65519.0F), 0x7bff);
  EXPECT_EQ(stored("F16", 65520.0F), 0x7c00);
  EXPECT_EQ(stored("F16", 0x1p-25F), 0x0000);
  EXPECT_EQ(stored("F16", 0x1.8p-25F), 0x0001);
  EXPECT_EQ(stored("F16", -0x1.ffep-15F), 0x8400) << "a subnormal that rounds to the smallest normal number";
  EXPECT_EQ(stored("BF16", 1.0F + 0x1p-8F), 0x3f80);
  EXPECT_EQ(stored("BF16", 1.0F + 0x1.8p-7F), 0x3f82);
  EXPECT_EQ(stored("BF16", std::numeric_limits<float>::max()), 0x7f80);
}

TEST(FloatFormats, IntegersAreNoFloats) {
  const std::int32_t number = 7;
  float value = 1;
  EXPECT_FALSE(to_floats("I32", std::as_bytes(std::span(&number, 1)), {&value, 1}));
  EXPECT_EQ(value, 1);
  EXPECT_THROW(from_floats("I32", {&value, 1}), std::invalid_argument);
}

}  // namespace
}  // namespace bramble::engine
