// bench_kernels as a user runs it.
#include <gtest/gtest.h>

#include <string>

#include "tests/support/program.h"

namespace bramble {
namespace {

test::Outcome bench_kernels(const std::string& arguments) { return test::run_shell(BENCH_KERNELS " " + arguments); }

TEST(BenchKernels, AMistakeGivesOneLine) {
  for (const char* wrong : {"--threads", "--threads 0", "--batch many", "--batch -2", "--models",
                            "--models resnet18,none", "--optimizer", "--optimizer adam", "--frobnicate"}) {
    const test::Outcome outcome = bench_kernels(wrong);
    EXPECT_EQ(outcome.code, 2) << wrong;
    EXPECT_EQ(outcome.lines(), 1U) << outcome.output;
    EXPECT_TRUE(outcome.output.starts_with("bramble: error: ")) << outcome.output;
  }
}

TEST(BenchKernels, TheListNamesOpsFlopsBytesPeersAndModels) {
  const test::Outcome outcome = bench_kernels("--list-layers --batch 2");
  EXPECT_EQ(outcome.code, 0);
  const std::string plain = "conv2d/56x56_64_3x3/fwd", numbers = "\t462422016\t";
  for (const std::string& line : {"\nconv2d/56x56_64_3x3_sums/fwd" + numbers + "3424256\t" + plain + "\tresnet50:3\n",
                                 "\n" + plain + numbers + "3358720\t" + plain + "\tresnet50:0\n"})
    EXPECT_NE(outcome.output.find(line), std::string::npos) << line << outcome.output.substr(0, 2000);
}

// Ops that the eight models do not have.
TEST(BenchKernels, OtherModelsLayersRunToo) {
  const test::Outcome outcome = bench_kernels(
      "--models mobilevitv2_050,efficientvit_b0,edgenext_x_small,ghostnetv2_100,efficientformer_l1 --batch 1 "
      "--benchmark_min_time=0 --benchmark_filter='^(groupnorm/8x8x128|separable_attention/.*|"
      "linear_attention/7x7x256_d16|cross_covariance_attention/7x7x192_h4|gate/7x7x960|pool_mixer/7x7x448)/'");
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  for (const std::string op :
       {"groupnorm", "separable_attention", "linear_attention", "cross_covariance_attention", "gate", "pool_mixer"}) {
    const std::size_t at = outcome.output.find("\n" + op + "/");
    ASSERT_NE(at, std::string::npos) << op << outcome.output;
    const std::size_t end = outcome.output.find("/bwd ", at);
    EXPECT_LT(outcome.output.find("/fwd ", at), end) << op << outcome.output;
    EXPECT_NE(end, std::string::npos) << op << outcome.output;
  }
}

// What a plain step with SGD does not have.
TEST(BenchKernels, UpdatesAndWhatDropsRunToo) {
  std::string output;
  for (const std::string optimizer : {"adamw", "lion"}) {
    const test::Outcome outcome = bench_kernels(
        "--models vit_tiny --batch 1 --drop --clip --average --benchmark_min_time=0 --optimizer " + optimizer +
        " --benchmark_filter='^(dropout|drop_path|clip_scale|(adamw|lion|blend)/1000x192)/'");
    ASSERT_EQ(outcome.code, 0) << outcome.output;
    output += outcome.output;
  }
  for (const std::string op : {"dropout", "drop_path", "clip_scale", "adamw", "lion", "blend"})
    EXPECT_NE(output.find("\n" + op + "/"), std::string::npos) << op << output;
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
