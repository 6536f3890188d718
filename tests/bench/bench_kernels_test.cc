// bench_kernels as a user runs it.
#include <gtest/gtest.h>

#include <string>

#include "tests/support/program.h"

namespace bramble {
namespace {

test::Outcome bench_kernels(const std::string& arguments) { return test::run_shell(BENCH_KERNELS " " + arguments); }

TEST(BenchKernels, AMistakeGivesOneLine) {
  for (const char* wrong : {"--threads", "--threads 0", "--batch many", "--batch -2", "--frobnicate"}) {
    const test::Outcome outcome = bench_kernels(wrong);
    EXPECT_EQ(outcome.code, 2) << wrong;
    EXPECT_EQ(outcome.lines(), 1U) << outcome.output;
    EXPECT_TRUE(outcome.output.starts_with("bramble: error: ")) << outcome.output;
  }
}

TEST(BenchKernels, TheListNamesOpsFlopsBytesPeersAndModels) {
  const test::Outcome outcome = bench_kernels("--list-layers --batch 2");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_NE(outcome.output.find("\nconv2d/56x56_64_3x3_sums/fwd\t462422016\t3424256\t1\tresnet50:3\n"), std::string::npos)
      << outcome.output.substr(0, 2000);
}

// What pi5model runs: one case, once, so that its brackets hold one repetition.
TEST(BenchKernels, OneCaseRunsOnceWithItsRates) {
  for (const std::string name : {"attention/1x16x960_h8_bias/bwd", "linear/16_320_960/fwd_xnnpack"}) {
    const test::Outcome outcome =
        bench_kernels("--batch 1 --mark-region --benchmark_format=json --benchmark_filter='^" + name + "$'");
    ASSERT_EQ(outcome.code, 0) << outcome.output;
    EXPECT_NE(outcome.output.find("\"name\": \"" + name + "\""), std::string::npos) << outcome.output;
    EXPECT_NE(outcome.output.find("\"iterations\": 1,"), std::string::npos) << outcome.output;
    for (const char* counter : {"GFLOP/s", "GB/s", "roofline"})
      EXPECT_NE(outcome.output.find(std::string("\"") + counter + "\""), std::string::npos) << outcome.output;
  }
}

}  // namespace
}  // namespace bramble
