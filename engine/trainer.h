// Training and evaluating one model on this machine: plan, memory, threads, steps.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/program.h"
#include "graph/model.h"
#include "graph/training.h"

namespace bramble::engine {

using OptimizerOptions = graph::OptimizerConfig;

struct TrainerOptions {
  std::vector<std::string> trainable = {};  ///< parameters' names; empty: all
  OptimizerOptions optimizer = {};
  float label_smoothing = 0;
  bool mixed_labels = false;  ///< other_labels() and label_shares() are to be filled too
  float clip_norm = 0;      ///< 0: gradients are not clipped
  int accumulate = 1;       ///< parameters are updated every so many steps, by their gradients' mean
  float average_decay = 0;  ///< of the parameters' and buffers' moving averages; 0: there are none
  bool guard = false;       ///< a step whose loss is NaN or infinite changes nothing
  int threads = 0;              ///< 0: one for each core
  bool keep_gradients = false;  ///< gradient() may be asked after a step
  MemoryMode memory = MemoryMode::planned;
};

/// Parameters start at zero, running means at 0, running variances at 1: set_value fills them.
class Trainer {
 public:
  /// Plans and allocates. Throws graph::GraphError for unknown trainable names, OutOfMemory with what is needed.
  Trainer(graph::Model model, const TrainerOptions& options);
  ~Trainer();
  Trainer(Trainer&&) noexcept;

  const MemoryReport& memory() const;
  std::span<std::byte> working_memory();  ///< free for others between two steps
  int threads() const;
  double flops_per_step() const;

  std::span<float> images();          ///< [batch, size, size, 3], normalised; fill before step()
  std::span<std::int32_t> labels();   ///< [batch]
  std::span<std::int32_t> other_labels();  ///< [batch], with mixed_labels: what an image shows besides
  std::span<float> label_shares();         ///< [batch], with mixed_labels: how much of it is the first label's, 0 to 1
  void set_learning_rate(float rate);
  /// Forward, backward and, every `accumulate` steps, update. Returns the loss (mean over the batch). Allocates
  /// nothing. With `guard` and a loss that is not finite, no parameter, state or running statistic is changed, and
  /// steps() does not count it: the backward is never begun.
  float step();
  /// Where the last step's NaN or infinity comes from: "parameter 'fc.weight'" or "the output of layer 'layer1.0.bn1'
  /// (batchnorm)", the first there is. Runs the forward again and changes nothing. Empty if all is finite.
  std::string find_not_finite();
  /// A trained parameter that has a NaN or an infinity: of several the last, whose gradient was the first to overflow.
  /// Empty if there is none. Reads all of them once: a fraction of a step.
  std::string parameter_not_finite() const;
  /// The first of all that persists - parameters, running statistics, state - that has one. Empty if there is none.
  std::string value_not_finite() const;
  /// What step() runs.
  const Program& program() const;
  /// From now on step() writes its times into `record`, made by program().make_record(); with nullptr, none.
  void record_into(StepRecord* record);

  std::span<const float> logits() const;  ///< [batch, classes], of the last step's forward
  std::vector<std::string> parameter_names() const;  ///< timm's order
  std::vector<std::string> buffer_names() const;
  graph::Shape shape_of(const std::string& name) const;  ///< PyTorch's
  /// Parameters and buffers, in PyTorch's layout and order. gradient() needs keep_gradients and a trainable name.
  std::vector<float> value(const std::string& name) const;
  void set_value(const std::string& name, std::span<const float> values);
  std::vector<float> gradient(const std::string& name) const;
  /// A parameter's or buffer's moving average; the value itself where there is none. It begins as the value was when
  /// start_averages() was called.
  std::vector<float> average(const std::string& name) const;
  void start_averages();

  /// What a continued run needs besides parameters and buffers: all that the optimiser keeps and the moving averages,
  /// by names for value() and set_value(), and how many steps there have been.
  std::vector<std::string> state_names() const;
  std::int64_t steps() const;
  void set_steps(std::int64_t steps);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Forward only, evaluation mode (the model is built with training = false).
class Evaluator {
 public:
  /// Works in `lent`, a Trainer's working_memory(), if that is large enough: between two of its steps.
  Evaluator(graph::Model model, int threads, MemoryMode memory = MemoryMode::planned, std::span<std::byte> lent = {});
  ~Evaluator();
  Evaluator(Evaluator&&) noexcept;
  std::span<float> images();
  void run();
  std::size_t memory_of_its_own() const;  ///< bytes
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
