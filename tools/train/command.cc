#include "tools/train/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "engine/data/file.h"
#include "engine/data/image_decoder.h"
#include "engine/data/preprocessor.h"
#include "engine/model_file.h"
#include "tools/cli/program.h"
#include "tools/train/data.h"
#include "tools/train/evaluate.h"
#include "tools/train/session.h"

namespace bramble::train {
namespace {

namespace fs = std::filesystem;

struct LoadedModel {
  ModelDescription description;
  engine::Evaluator evaluator;
};

LoadedModel load(const fs::path& path, std::int64_t batch, int threads) {
  const engine::SafetensorsFile file(path);
  const ModelDescription description = ModelDescription::from_metadata(file.metadata(), path);
  LoadedModel model{description, make_evaluator(description, batch, threads)};
  engine::load_model(file, engine::values_of(model.evaluator), {});
  return model;
}

/// The columns that fmt, which pads by them and not by bytes, takes a name to have: never more than bytes.
std::size_t columns_of(const std::string& name) {
  const std::size_t bytes = name.size();
  return 2 * bytes - fmt::formatted_size("{:<{}}", name, bytes);
}

void print_confusion(const Evaluation& evaluation, const std::vector<std::string>& classes) {
  std::size_t width = 5;
  for (const std::string& name : classes) width = std::max(width, columns_of(name));
  fmt::print("{:<{}}  {:>6}  most often taken for\n", "class", width, "top-1");
  for (std::size_t c = 0; c < classes.size(); ++c) {
    const std::vector<std::size_t>& row = evaluation.confusion[c];
    const std::size_t images = std::accumulate(row.begin(), row.end(), std::size_t{0});
    if (images == 0) continue;
    std::size_t worst = c == 0 ? classes.size() - 1 : 0;
    for (std::size_t other = 0; other < classes.size(); ++other)
      if (other != c && row[other] > row[worst]) worst = other;
    const std::string mistake = worst != c && row[worst] > 0 ? fmt::format("{} ({})", classes[worst], row[worst]) : "-";
    fmt::print("{:<{}}  {:>4.1f} %  {}\n", classes[c], width,
               100.0 * static_cast<double>(row[c]) / static_cast<double>(images), mistake);
  }
}

void print_prediction(const fs::path& image, std::span<const float> logits, const std::vector<std::string>& classes,
                      int top) {
  std::vector<std::size_t> order(logits.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return logits[a] > logits[b]; });
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - logits[order[0]]);
  fmt::print("{}\n", image.string());
  for (std::size_t i = 0; i < std::min(order.size(), static_cast<std::size_t>(top)); ++i) {
    const double share = std::exp(static_cast<double>(logits[order[i]]) - logits[order[0]]) / sum;
    fmt::print("  {:>5.1f} %  {}\n", 100 * share, classes[order[i]]);
  }
}

}  // namespace

void add_options(CLI::App& command, EvalOptions& options) {
  command.add_option("checkpoint", options.checkpoint, "a model that `bramble train` wrote")->required();
  command
      .add_option("--data", options.data, "class folders, or with a val or test folder of them; CIFAR or MNIST files")
      ->required();
  command.add_option("--batch", options.batch, "images at a time")->check(CLI::Range(1, 1 << 20));
  command.add_option("--threads", options.threads, "computing threads; one for each core unless given")
      ->check(CLI::Range(1, 256));
}

void add_options(CLI::App& command, PredictOptions& options) {
  command.add_option("checkpoint", options.checkpoint, "a model that `bramble train` wrote")->required();
  command.add_option("images", options.images, "images")->required();
  command.add_flag("--json", options.as_json, "a line of JSON for each image, with the logits of all classes");
  command.add_option("--top", options.top, "classes to show")->check(CLI::Range(1, 1 << 20));
  command.add_option("--threads", options.threads, "computing threads; one for each core unless given")
      ->check(CLI::Range(1, 256));
}

int run(const Options& options) {
  check(options);
  cli::catch_interrupts();
  Session(options).run();
  return 0;
}

int run(const EvalOptions& options) {
  cli::catch_interrupts();
  LoadedModel model = load(options.checkpoint, options.batch, options.threads);
  const engine::DatasetPtr images = read_evaluation_data(options.data, model.description.classes);
  const Evaluation evaluation =
      evaluate(model.evaluator, images, model.description, options.batch, 2,
               [](const std::string& message) { fmt::print(stderr, "bramble: warning: skipped {}\n", message); },
               cli::check_interrupted);
  print_confusion(evaluation, model.description.classes);
  fmt::print("{} images: loss {:.4f}, top-1 {:.2f} %, top-5 {:.2f} %\n", evaluation.images, evaluation.loss,
             100 * evaluation.top1, 100 * evaluation.top5);
  return 0;
}

int run(const PredictOptions& options) {
  cli::catch_interrupts();
  LoadedModel model = load(options.checkpoint, 1, options.threads);
  const int size = static_cast<int>(model.description.size);
  engine::ImageDecoder decoder;
  engine::Preprocessor preprocessor(size, model.description.preprocessing);
  engine::Image image;
  int code = 0;
  for (const fs::path& path : options.images) {
    cli::check_interrupted();
    try {
      decoder.decode(path, image);
    } catch (const engine::FileError& error) {
      cli::print_error(error.what());
      code = 1;
      continue;
    }
    preprocessor.apply(image, {0, 0}, model.evaluator.images());
    model.evaluator.run();
    const std::span<const float> logits = model.evaluator.logits();
    if (options.as_json) {
      const nlohmann::ordered_json json = {{"image", path.string()},
                                           {"logits", std::vector<float>(logits.begin(), logits.end())},
                                           {"classes", model.description.classes}};
      fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    } else {
      print_prediction(path, logits, model.description.classes, options.top);
    }
  }
  return code;
}

}  // namespace bramble::train
