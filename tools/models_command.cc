#include "tools/models_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "models/registry.h"

namespace bramble::tools {
namespace {

struct Counts {
  std::int64_t parameters = 0;
  std::int64_t head = 0;
};

// From the graph itself, for 1000 classes: what timm counts.
Counts count_parameters(const models::ModelInfo& info) {
  const graph::Model model = models::build_model(info, {.batch = 1});
  Counts counts;
  for (const graph::Tensor& tensor : model.graph.tensors()) {
    if (tensor.role != graph::Role::parameter) continue;
    const std::int64_t count = graph::element_count(tensor.spec.shape);
    counts.parameters += count;
    if (std::find(info.head_keys.begin(), info.head_keys.end(), tensor.name) != info.head_keys.end())
      counts.head += count;
  }
  return counts;
}

void print_table() {
  constexpr const char* kFormat = "{:<18} {:<13} {:>10} {:>7}  {:<46} {}\n";
  fmt::print(kFormat, "model", "family", "parameters", "top-1", "timm", "head");
  for (const models::ModelInfo& info : models::all_models()) {
    const std::string top1 = info.top1 > 0 ? fmt::format("{:.2f}", info.top1) : "-";
    const double millions = static_cast<double>(count_parameters(info).parameters) / 1e6;
    const std::string timm = info.timm.empty() ? "-" : info.timm;
    fmt::print(kFormat, info.name, info.family, fmt::format("{:.2f} M", millions), top1, timm,
               fmt::join(info.head_keys, " "));
  }
}

void print_json() {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const models::ModelInfo& info : models::all_models()) {
    const Counts counts = count_parameters(info);
    list.push_back({{"name", info.name},
                    {"family", info.family},
                    {"timm", info.timm},
                    {"in_benchmark", info.in_benchmark},
                    {"parameters", counts.parameters},
                    {"head_parameters", counts.head},
                    {"top1", info.top1 > 0 ? nlohmann::ordered_json(info.top1) : nlohmann::ordered_json(nullptr)},
                    {"head_keys", info.head_keys}});
  }
  fmt::print("{}\n", list.dump(2));
}

}  // namespace

int list_models(bool as_json) {
  as_json ? print_json() : print_table();
  return 0;
}

}  // namespace bramble::tools
