#include "tools/convert/select.h"

#include <algorithm>

namespace bramble::convert {
namespace {

/// timm's training script writes the first, its older versions and others the rest.
constexpr std::string_view kAverages[] = {"state_dict_ema.", "model_ema.", "ema_state_dict.", "ema."};
/// PyTorch Lightning's and timm's, DistributedDataParallel's, torch.compile's. No model here has a layer of these
/// names.
constexpr std::string_view kWrappers[] = {"state_dict.", "model.", "module.", "_orig_mod."};

bool is_average(const Selected& one) {
  return std::ranges::any_of(kAverages, [&](std::string_view prefix) { return one.stored.starts_with(prefix); });
}

/// Keeps what has the prefix, without it. False, and nothing changes, if nothing has.
bool unwrap(std::vector<Selected>& tensors, std::string_view prefix) {
  std::vector<Selected> inside;
  for (const Selected& one : tensors)
    if (one.name.starts_with(prefix)) inside.push_back({one.stored, one.name.substr(prefix.size())});
  if (inside.empty()) return false;
  tensors = std::move(inside);
  return true;
}

bool unwrap_any(std::vector<Selected>& tensors) {
  return std::ranges::any_of(kWrappers, [&](std::string_view prefix) { return unwrap(tensors, prefix); });
}

}  // namespace

std::vector<Selected> select_model(const std::vector<std::string>& names, Weights which) {
  std::vector<Selected> tensors;
  for (const std::string& name : names) tensors.push_back({name, name});
  if (which == Weights::averaged) {
    if (std::ranges::none_of(kAverages, [&](std::string_view prefix) { return unwrap(tensors, prefix); })) return {};
  } else {
    std::erase_if(tensors, is_average);
  }
  while (unwrap_any(tensors)) {
  }
  return tensors;
}

}  // namespace bramble::convert
