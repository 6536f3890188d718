// Every op's derivative against finite differences, and the same bits for any number of threads.
#include <gtest/gtest.h>

#include "tests/graph/gradient_cases.h"

namespace bramble::test {
namespace {

class Gradient : public testing::TestWithParam<GradientCase> {};

TEST_P(Gradient, MatchesFiniteDifferences) { check_gradients(GetParam()); }

const auto kName = [](const auto& row) { return row.param.name; };
INSTANTIATE_TEST_SUITE_P(Products, Gradient, testing::ValuesIn(product_cases()), kName);
INSTANTIATE_TEST_SUITE_P(Norms, Gradient, testing::ValuesIn(norm_cases()), kName);
INSTANTIATE_TEST_SUITE_P(Attention, Gradient, testing::ValuesIn(attention_cases()), kName);
INSTANTIATE_TEST_SUITE_P(Others, Gradient, testing::ValuesIn(other_cases()), kName);

}  // namespace
}  // namespace bramble::test
