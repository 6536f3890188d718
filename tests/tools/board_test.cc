#include "tools/train/board.h"

#include <gtest/gtest.h>

#include "tests/support/files.h"

namespace bramble::train {
namespace {

void make_board(const test::TemporaryFolder& root, const std::string& model, const std::string& chip) {
  test::write_whole(root / "proc/device-tree/model", model);
  test::write_whole(root / "sys/class/thermal/thermal_zone0/temp", "61850\n");
  test::write_whole(root / ("sys/devices/platform/" + chip + "/" + chip + ":firmware/get_throttled"), "50005\n");
}

TEST(Board, OnARaspberryPiTemperatureAndThrottling) {
  for (const std::string chip : {"soc", "soc@107c000000"}) {
    const test::TemporaryFolder root;
    make_board(root, std::string("Raspberry Pi 5 Model B Rev 1.0\0", 31), chip);
    const Board board(root.path());
    EXPECT_EQ(board.status(), " 61 C UNDERVOLTAGE THROTTLED") << "not what was so at some time, the bits from 16 on";
    test::write_whole(root / ("sys/devices/platform/" + chip + "/" + chip + ":firmware/get_throttled"), "a\n");
    EXPECT_EQ(board.status(), " 61 C CAPPED HOT");
  }
}

TEST(Board, ElsewhereNothing) {
  const test::TemporaryFolder root;
  EXPECT_EQ(Board(root.path()).status(), "");
  make_board(root, "Some other board", "soc");
  EXPECT_EQ(Board(root.path()).status(), "");
}

TEST(Board, WhatTheKernelDoesNotTellIsLeftOut) {
  const test::TemporaryFolder root;
  test::write_whole(root / "proc/device-tree/model", "Raspberry Pi 4 Model B");
  EXPECT_EQ(Board(root.path()).status(), "");
  test::write_whole(root / "sys/class/thermal/thermal_zone0/temp", "40000\n");
  EXPECT_EQ(Board(root.path()).status(), " 40 C");
}

}  // namespace
}  // namespace bramble::train
