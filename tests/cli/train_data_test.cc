// What `bramble train`, `eval` and `predict` take as data, as a user gives it.
#include <gtest/gtest.h>

#include "tests/data/packed_files.h"
#include "tests/support/files.h"
#include "tests/support/program.h"

namespace bramble {
namespace {

namespace fs = std::filesystem;

std::string quoted(const fs::path& path) { return test::quoted(path.string()); }

test::Outcome bramble(const std::string& arguments) { return test::run_shell(std::string(BRAMBLE) + " " + arguments); }

std::string train_arguments(const fs::path& data, const fs::path& out, const std::string& more) {
  return "train --model mobilenetv2_050 --size 32 --batch 4 --data " + quoted(data) + " --out " + quoted(out) + " " +
         (more.find("--epochs") == std::string::npos ? "--steps 2 " : "") + more;
}

test::Outcome train(const fs::path& data, const fs::path& out, const std::string& more = "") {
  return bramble(train_arguments(data, out, more));
}

void expect_error(const test::Outcome& outcome, const std::string& message) {
  EXPECT_EQ(outcome.code, 1) << outcome.output;
  EXPECT_NE(outcome.output.find("bramble: error: "), std::string::npos) << outcome.output;
  EXPECT_NE(outcome.output.find(message), std::string::npos) << outcome.output << "should say: " << message;
}

void expect_output(const test::Outcome& outcome, const std::string& text) {
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_NE(outcome.output.find(text), std::string::npos) << outcome.output << "should say: " << text;
}

void copy_photos(const fs::path& to) { fs::copy(test::source_file("photos"), to, fs::copy_options::recursive); }

TEST(TrainData, CifarIsTrainedOnAndEvaluated) {
  const test::TemporaryFolder folder;
  test::write_cifar10(folder / "unpacked/cifar-10-batches-bin", 4);
  const fs::path data = folder / "unpacked";  // the folder around the archive's own
  expect_output(train(data, folder / "run", "--head-only"), "20 images of 10 classes, 4 for evaluation");
  const std::string model = quoted(folder / "run/model.safetensors");
  expect_output(bramble("eval " + model + " --data " + quoted(data)), "4 images: loss");
  expect_output(bramble("eval " + model + " --data " + quoted(data / "cifar-10-batches-bin/data_batch_1.bin")),
                "4 images: loss");
  expect_output(bramble("predict " + model + " " + quoted(test::source_file("photos/bird/n01860187_black_swan.jpg"))),
                "frog");
}

TEST(TrainData, MnistIsTrainedOnWithoutFlips) {
  const test::TemporaryFolder folder;
  test::write_mnist(folder / "MNIST/raw", 13, 5);
  expect_output(train(folder / "MNIST", folder / "run", "--head-only --flip 0"),
                "13 images of 10 classes, 5 for evaluation");
  expect_output(bramble("eval " + quoted(folder / "run/best.safetensors") + " --data " + quoted(folder / "MNIST")),
                "5 images: loss");
}

TEST(TrainData, TheModelsFileSaysHowPicturesAreMadeItsInput) {
  const test::TemporaryFolder folder;
  const fs::path photos = test::source_file("photos");
  // Without learning and BatchNorm, runs differ in what they make of the picture alone.
  const auto prediction = [&](const std::string& name, const std::string& options) {
    expect_output(
        train(photos, folder / name, "--model edgenext_x_small --size 64 --lr 0 --weight-decay 0 --steps 1 " + options),
        name);
    return bramble("predict --json " + quoted(folder / name / "model.safetensors") + " " +
                   quoted(photos / "bird/n01860187_black_swan.jpg"))
        .output;
  };
  const std::string own = prediction("own", "");
  EXPECT_NE(own.find("logits"), std::string::npos) << own;
  EXPECT_EQ(
      prediction("said", "--mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 --crop-pct 0.9 --interpolation bicubic"),
      own);
  for (const std::string option : {"--std 0.5,0.5,0.6", "--crop-pct 1"})
    EXPECT_NE(prediction("other" + option, option), own) << option;
  const test::Outcome inspected = bramble("inspect " + quoted(folder / "own/model.safetensors"));
  for (const char* line : {"bramble.mean: [0.485,0.456,0.406]", "bramble.std: [0.229,0.224,0.225]",
                           "bramble.crop_pct: 0.9", "bramble.interpolation: bicubic"})
    expect_output(inspected, line);
  for (const std::string option : {"--mean 1,2", "--mean red", "--std 0", "--interpolation cubic", "--crop-pct 1.5"}) {
    const test::Outcome outcome = train(photos, folder / "wrong", option);
    EXPECT_EQ(outcome.code, 2) << outcome.output;
    EXPECT_NE(outcome.output.find("bramble: error: " + option.substr(0, option.find(' '))), std::string::npos)
        << outcome.output;
  }
}

TEST(TrainData, AugmentationDependsOnTheSeedAndNotOnTheThreads) {
  const test::TemporaryFolder folder;
  const auto losses = [&](const std::string& name, const std::string& options) {
    expect_output(
        train(test::source_file("photos"), folder / name,
              "--head-only --augment rand --color-jitter 0.4,0.4,0.4,0.1 --erase 0.5 --mixup 0.8 --steps 4 " + options),
        "4 steps of 4");
    return test::read_whole(folder / name / "model.safetensors");
  };
  const std::string one = losses("one", "--loader-threads 1 --threads 1");
  EXPECT_EQ(losses("three", "--loader-threads 3 --threads 2"), one);
  EXPECT_NE(losses("seed", "--seed 1"), one);
  EXPECT_NE(losses("plain", "--mixup 0"), one);
  for (const std::string option : {"--color-jitter 0.4,0.4", "--color-jitter -1", "--color-jitter 0.1,0.1,0.1,0.6",
                                   "--mixup -1", "--erase 2", "--augment all"}) {
    const test::Outcome outcome = train(test::source_file("photos"), folder / "wrong", option);
    EXPECT_EQ(outcome.code, 2) << outcome.output;
    EXPECT_NE(outcome.output.find("bramble: error: " + option.substr(0, option.find(' '))), std::string::npos)
        << outcome.output;
  }
}

TEST(TrainData, NamesMayHaveBlanksAndAnyLetters) {
  const test::TemporaryFolder folder;
  const fs::path data = folder / "my pictures";
  copy_photos(data);
  fs::rename(data / "bird", data / "Vögel & Ähnliches");
  fs::rename(data / "dog", data / "犬");
  fs::rename(data / "insect/n02165105_tiger_beetle.jpg", data / "insect/Käfer (1).JPG");
  expect_output(train(data, folder / "my run", "--head-only"), "of 4 classes");
  const std::string model = quoted(folder / "my run/model.safetensors");
  expect_output(bramble("eval " + model + " --data " + quoted(data)), "Vögel & Ähnliches  ");
  // Aligned by what a terminal shows, not by bytes: 17 columns, as many as the longest name.
  expect_output(bramble("eval " + model + " --data " + quoted(data)), "\n犬" + std::string(15 + 2, ' '));
  expect_output(bramble("predict --json " + model + " " + quoted(data / "insect/Käfer (1).JPG")), "Käfer (1).JPG");
}

TEST(TrainData, ANameThatIsNoTextIsRefused) {
  const test::TemporaryFolder folder;
  copy_photos(folder / "data");
  fs::rename(folder / "data/dog", folder / "data/d\xffg");
  expect_error(train(folder / "data", folder / "run"), "not valid UTF-8");
}

TEST(TrainData, WhatIsNoDataIsSaid) {
  const test::TemporaryFolder folder;
  fs::create_directories(folder / "empty");
  expect_error(train(folder / "empty", folder / "run"),
               "neither class folders (CLASS/IMAGE.jpg), nor CIFAR's .bin files");
  test::write_whole(folder / "pictures.zip", "PK");
  expect_error(train(folder / "pictures.zip", folder / "run"), "neither a folder nor a .bin file");
  fs::create_directories(folder / "one");
  fs::create_directory_symlink(test::source_file("photos/dog"), folder / "one/dog");
  expect_error(train(folder / "one", folder / "run"), "has one class only ('dog')");
  EXPECT_FALSE(fs::exists(folder / "run"));
}

TEST(TrainData, SpoiltImagesAreNamedAndLeftOut) {
  const test::TemporaryFolder folder;
  const fs::path data = folder / "data";
  copy_photos(data);
  test::write_whole(data / "dog/empty.png", "");
  test::write_whole(data / "dog/text.jpg", "no picture");
  test::write_whole(data / "bird/half.jpg", test::read_whole(data / "bird/n01860187_black_swan.jpg").substr(0, 5000));
  const test::Outcome outcome = train(data, folder / "run", "--head-only --val-split 0 --steps 8");
  for (const char* message : {"empty.png: is empty", "text.jpg: is neither a JPEG nor a PNG", "half.jpg: corrupt JPEG"})
    expect_output(outcome, message);
}

TEST(TrainData, DataThatGoesStopsTheRunWhichContinuesWhenItIsBack) {
  const test::TemporaryFolder folder;
  copy_photos(folder / "data");
  const std::string out = quoted(folder / "run");
  const std::string gone = quoted(folder / "gone"), data = quoted(folder / "data");
  const std::string command =
      std::string(BRAMBLE) + " " + train_arguments(folder / "data", folder / "run", "--steps 1000000 --val-split 0");
  const test::Outcome stopped =
      test::run_shell(command + " & while [ ! -s " + out + "/metrics.jsonl ]; do sleep 0.05; done; mv " + data + " " +
                      gone + "; wait $!");
  expect_error(stopped, "the folder of images has gone; stopped after step ");
  EXPECT_NE(stopped.output.find("--resume continues from "), std::string::npos) << stopped.output;
  fs::rename(folder / "gone", folder / "data");
  expect_output(bramble("train --resume --steps 1 --out " + out), "continuing after step ");
}

TEST(TrainData, DataThatGoesBeforeItsEvaluationCostsNoEpoch) {
  const test::TemporaryFolder folder;
  fs::create_directories(folder / "data");
  copy_photos(folder / "data/train");
  copy_photos(folder / "data/val");
  for (int copy = 0; copy < 12; ++copy)  // an epoch of some time
    fs::copy(folder / "data/val/dog/n02096051_Airedale.jpg",
             folder / ("data/train/dog/" + std::to_string(copy) + ".jpg"));
  const std::string options = "--epochs 2 --lr 0.01 --size 96 ";
  expect_output(train(folder / "data", folder / "whole", options), "how it went");
  const std::string val = quoted(folder / "data/val"), gone = quoted(folder / "gone");
  const std::string out = quoted(folder / "run");
  const std::string command = std::string(BRAMBLE) + " " + train_arguments(folder / "data", folder / "run", options);
  const test::Outcome stopped =
      test::run_shell(command + " & while [ ! -s " + out + "/metrics.jsonl ]; do sleep 0.01; done; mv " + val + " " +
                      gone + "; wait $!");
  expect_error(stopped, "the folder of images has gone; stopped after step 7, --resume continues from ");
  fs::rename(folder / "gone", folder / "data/val");
  const test::Outcome resumed = bramble("train --resume --out " + out);
  expect_output(resumed, "continuing after step 7 of 13");
  EXPECT_LT(resumed.output.find("epoch   1  step      7"), resumed.output.find("epoch   2  step")) << resumed.output;
  EXPECT_EQ(test::read_whole(folder / "run/model.safetensors"), test::read_whole(folder / "whole/model.safetensors"));
  EXPECT_EQ(test::read_whole(folder / "run/best.safetensors"), test::read_whole(folder / "whole/best.safetensors"));
  EXPECT_EQ(test::read_whole(folder / "run/metrics.csv"), test::read_whole(folder / "whole/metrics.csv"));
}

}  // namespace
}  // namespace bramble
