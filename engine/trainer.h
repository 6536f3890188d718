// Training and evaluating one model on this machine: plan, memory, threads, steps.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "graph/model.h"

namespace bramble::engine {

struct SgdOptions {
  float momentum = 0;
  float weight_decay = 0;
  bool nesterov = false;
};

enum class MemoryMode {
  planned,   ///< tensors share one arena by liveness
  isolated,  ///< every tensor has memory of its own, filled with NaN before each step: what the plan is checked against
};

struct TrainerOptions {
  std::vector<std::string> trainable;  ///< parameters' names; empty: all
  SgdOptions sgd;
  float label_smoothing = 0;
  int threads = 0;              ///< 0: one for each core
  bool keep_gradients = false;  ///< gradient() may be asked after a step
  MemoryMode memory = MemoryMode::planned;
};

/// The plan does not fit. what(): "… needs 3.2 GiB, 1.9 GiB are free; …"
class OutOfMemory : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct MemoryReport {
  std::size_t parameters = 0;   ///< bytes: parameters, buffers and the optimiser's state
  std::size_t activations = 0;  ///< bytes: the arena that activations and gradients share
  std::size_t scratch = 0;      ///< bytes: packing and partial sums, all threads
  std::size_t total() const { return parameters + activations + scratch; }
};

/// Parameters start as timm initialises nothing here: zero weights. Fill them through set_value or fill_golden.
class Trainer {
 public:
  /// Plans and allocates. Throws graph::GraphError for unknown trainable names, OutOfMemory with what is needed.
  Trainer(graph::Model model, const TrainerOptions& options);
  ~Trainer();
  Trainer(Trainer&&) noexcept;

  const MemoryReport& memory() const;
  int threads() const;
  double flops_per_step() const;

  std::span<float> images();          ///< [batch, size, size, 3], normalised; fill before step()
  std::span<std::int32_t> labels();   ///< [batch]
  void set_learning_rate(float rate);
  /// Forward, backward and update. Returns the loss (mean over the batch). Allocates nothing.
  float step();

  std::span<const float> logits() const;  ///< [batch, classes], of the last step's forward
  std::vector<std::string> parameter_names() const;  ///< timm's order
  std::vector<std::string> buffer_names() const;
  graph::Shape shape_of(const std::string& name) const;  ///< PyTorch's
  /// Parameters and buffers, in PyTorch's layout and order. gradient() needs keep_gradients and a trainable name.
  std::vector<float> value(const std::string& name) const;
  void set_value(const std::string& name, std::span<const float> values);
  std::vector<float> gradient(const std::string& name) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Forward only, evaluation mode (the model is built with training = false).
class Evaluator {
 public:
  Evaluator(graph::Model model, int threads, MemoryMode memory = MemoryMode::planned);
  ~Evaluator();
  std::span<float> images();
  void run();
  std::span<const float> logits() const;
  void set_value(const std::string& name, std::span<const float> values);
  std::vector<std::string> parameter_names() const;
  std::vector<std::string> buffer_names() const;
  graph::Shape shape_of(const std::string& name) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bramble::engine
