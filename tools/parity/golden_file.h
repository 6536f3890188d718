// A golden file: what PyTorch computed for one model with the weights and inputs of engine/golden.h.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "engine/golden.h"
#include "graph/tensor.h"

namespace bramble::parity {

template <typename T>
using Named = std::vector<std::pair<std::string, T>>;  ///< in the file's order, which is the state_dict's

/// The entry of that name, or nullptr.
template <typename T>
const T* find(const Named<T>& list, const std::string& name) {
  for (const auto& [key, value] : list) {
    if (key == name) return &value;
  }
  return nullptr;
}

struct Config {
  std::string model;
  std::string timm;
  std::uint64_t seed = 0;
  std::int64_t batch = 0;
  std::int64_t size = 0;
  std::int64_t classes = 0;
  std::vector<std::string> head_keys;  ///< what the head's runs train
};

struct Logits {
  std::vector<double> first;  ///< image 0's first eight
  engine::Probe probe{};
};

/// What the protocol yields, whoever ran it.
struct Values {
  std::vector<std::string> head_keys;  ///< as the model's author declares them
  Logits eval_logits;
  Logits train_logits;
  std::vector<double> losses;       ///< of steps 0, 1, 2 and of a fourth forward
  std::vector<double> head_losses;  ///< of steps 0, 1, 2
  Named<engine::Probe> grads;
  Named<engine::Probe> buffers;
  Named<engine::Probe> params_after;
  Named<engine::Probe> head_params_after;
  Named<graph::Shape> shapes;
  Named<graph::Shape> buffer_shapes;
};

/// How far float32 is from float64, relative to each tensor's norm.
struct Noise {
  double eval_logits = 0;
  double train_logits = 0;
  std::vector<double> losses;
  std::vector<double> head_losses;
  Named<double> grads;
  Named<double> buffers;
};

struct Golden {
  Config config;
  Values values;
  Noise noise;
};

/// Throws engine::FileError with the path and the key that is missing or malformed.
Golden read_golden(const std::filesystem::path& path);

/// The same form; read_golden takes it.
std::string to_json(const Golden& golden);

/// Buffers that hold nothing of a model's own, left out wherever buffers are compared, as we keep none: PyTorch's count
/// of a BatchNorm's forwards, and what follows from the architecture (indices, masks, coordinates) or the parameters
/// (FasterViT's last bias).
bool is_derived_buffer(const std::string& buffer);

}  // namespace bramble::parity
