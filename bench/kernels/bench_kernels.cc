// Google Benchmark's program over every distinct layer of some models, with options of our own.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "bench/kernels/layers_bench.h"
#include "bench/kernels/measure.h"
#include "models/registry.h"

namespace {

constexpr const char* kOptions =
    "--models NAMES, --threads N, --batch N, --optimizer KIND, --drop, --clip, --average, --mark-region, "
    "--list-layers, --benchmark_*";

/// Google Benchmark prints its own options for --help and ends.
void print_help() {
  std::printf(
      "usage: bench_kernels [--models NAMES] [--threads N] [--batch N] [--optimizer KIND] [--drop] [--clip]\n"
      "                     [--average] [--mark-region] [--list-layers] [Google Benchmark's options]\n\n"
      "Times every distinct layer of resnet50, mobilenetv2_100, convnext_tiny, vit_tiny, vit_base, efficientnet_b0,\n"
      "faster_vit_1 and swin_tiny, or of --models, at 224 x 224, each pass alone, as a training step runs it, and\n"
      "each convolution and linear layer without what is fused with it, forward, with XNNPACK's beside it.\n"
      "Cases are called <op>/<shape>/<pass>, as in --benchmark_filter='^conv2d/56x56_64_3x3/fwd$'.\n\n"
      "  --models NAMES  models, separated by commas\n"
      "  --threads N     threads (1)\n"
      "  --batch N       images (16)\n"
      "  --optimizer K   sgd, adamw or lion (sgd)\n"
      "  --drop          with dropout and stochastic depth\n"
      "  --clip          with the gradients' norm clipped\n"
      "  --average       with moving averages of the weights\n"
      "  --mark-region   one repetition, bracketed for pi5model\n"
      "  --list-layers   print the cases, their FLOPs, bytes, which plain case XNNPACK has too, model:uses in a\n"
      "                  step, and end\n\n");
}

bool take_count(const char* text, int& value) {
  char* end = nullptr;
  const long number = std::strtol(text, &end, 10);
  value = static_cast<int>(number);
  return *text != '\0' && *end == '\0' && number >= 1 && number <= 65536;
}

std::vector<std::string> split(const std::string& names) {
  std::vector<std::string> parts;
  std::istringstream stream(names);
  for (std::string part; std::getline(stream, part, ',');) parts.push_back(part);
  return parts;
}

/// A flag of ours, or null.
bool* flag(const std::string& name) {
  auto& options = bramble::bench::options();
  if (name == "--mark-region") return &options.mark_region;
  if (name == "--list-layers") return &options.list_layers;
  if (name == "--drop") return &options.step.drop;
  if (name == "--clip") return &options.step.clip;
  if (name == "--average") return &options.step.average;
  return nullptr;
}

bool take_optimizer(const std::string& name, bramble::graph::OptimizerKind& kind) {
  using bramble::graph::OptimizerKind;
  for (const auto& [known, value] :
       {std::pair{"sgd", OptimizerKind::sgd}, {"adamw", OptimizerKind::adamw}, {"lion", OptimizerKind::lion}}) {
    if (name != known) continue;
    kind = value;
    return true;
  }
  return false;
}

/// Takes our options out of the arguments. False, with a message printed, where one is wrong.
bool take_options(std::vector<char*>& arguments) {
  auto& options = bramble::bench::options();
  std::vector<char*> rest;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string argument = arguments[i];
    if (bool* const wanted = flag(argument)) {
      *wanted = true;
    } else if (argument == "--optimizer") {
      if (i + 1 < arguments.size() && take_optimizer(arguments[++i], options.step.optimizer)) continue;
      std::fprintf(stderr, "bramble: error: --optimizer takes sgd, adamw or lion\n");
      return false;
    } else if (argument == "--models") {
      if (i + 1 < arguments.size()) options.models = split(arguments[++i]);
      if (!options.models.empty()) continue;
      std::fprintf(stderr, "bramble: error: --models takes models' names, separated by commas\n");
      return false;
    } else if (argument == "--threads" || argument == "--batch") {
      int& value = argument == "--threads" ? options.threads : options.batch;
      if (i + 1 < arguments.size() && take_count(arguments[++i], value)) continue;
      std::fprintf(stderr, "bramble: error: %s takes a number from 1 to 65536\n", argument.c_str());
      return false;
    } else {
      if (argument == "--help") print_help();
      rest.push_back(arguments[i]);
    }
  }
  // One repetition: the first is accepted whatever it took.
  static char once[] = "--benchmark_min_time=0";
  if (options.mark_region) rest.push_back(once);
  arguments = rest;
  return true;
}

int run(int argc, char** argv) {
  std::vector<char*> arguments(argv, argv + argc);
  if (!take_options(arguments)) return 2;
  const auto& options = bramble::bench::options();
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  if (count > 1) {
    std::fprintf(stderr, "bramble: error: unknown option '%s' (options: %s)\n", arguments[1], kOptions);
    return 2;
  }
  const auto models = options.models.empty() ? bramble::bench::measured_models() : options.models;
  const auto layers = bramble::bench::layers_of_models(options.batch, models, options.step);
  if (options.list_layers) {
    bramble::bench::print_layers(layers);
    return 0;
  }
  bramble::bench::register_layers(layers);
  benchmark::AddCustomContext("threads", std::to_string(options.threads));
  benchmark::AddCustomContext("batch", std::to_string(options.batch));
  if (benchmark::RunSpecifiedBenchmarks() == 0) return 1;  // its message names the filter
  benchmark::Shutdown();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const bramble::models::UnknownModel& error) {
    std::fprintf(stderr, "bramble: error: --models: %s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bramble: error: %s\n", error.what());
    return 1;
  }
}
