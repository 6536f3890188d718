#include "tools/parity/protocol.h"

#include <algorithm>
#include <cstring>

#include "models/registry.h"
#include "tools/cli/program.h"

namespace bramble::parity {
namespace {

std::uint64_t hash_bits(std::span<const float> values) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const float value : values) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    hash = (hash ^ bits) * 0x100000001b3ULL;
  }
  return hash;
}

// The state of one run: what it is for, and what it has yielded so far.
class Protocol {
 public:
  Protocol(const Config& config, const RunOptions& options)
      : config_(config), options_(options), info_(models::find_model(config.model)) {}

  RunResult run() {
    result_.values.head_keys = info_.head_keys;
    evaluate();
    train();
    train_head();
    return std::move(result_);
  }

 private:
  graph::Model build(bool training) const {
    return models::build_model(
        info_, {.batch = config_.batch, .size = config_.size, .classes = config_.classes, .training = training});
  }

  template <typename Runner>  // a Trainer or an Evaluator
  void set_parameters(Runner& runner) const {
    for (const std::string& name : runner.parameter_names()) {
      runner.set_value(name, engine::golden_parameter(name, runner.shape_of(name), config_.seed));
    }
  }

  engine::Trainer make_trainer(engine::TrainerOptions options, float learning_rate) const {
    options.threads = options_.threads;
    options.memory = options_.memory;
    engine::Trainer trainer(build(true), options);
    set_parameters(trainer);
    trainer.set_learning_rate(learning_rate);
    return trainer;
  }

  double step(engine::Trainer& trainer, const std::string& run, int number) {
    cli::check_interrupted();
    engine::golden_images(config_.batch, config_.size, config_.seed, trainer.images());
    engine::golden_labels(config_.classes, trainer.labels());
    const float loss = trainer.step();
    note_bits(run + " loss " + std::to_string(number), {&loss, 1});
    return static_cast<double>(loss);
  }

  void note_bits(const std::string& name, std::span<const float> values) {
    result_.bits.emplace_back(name, hash_bits(values));
  }

  engine::Probe probe(std::span<const float> values, const std::string& key) const {
    return engine::golden_probe(values, key, config_.seed);
  }
  engine::Probe probe_and_note(std::span<const float> values, const std::string& key) {
    note_bits(key, values);
    return probe(values, key);
  }

  void note_parameters(const engine::Trainer& trainer, const std::string& run) {
    for (const std::string& name : trainer.parameter_names()) {
      note_bits(run + " parameter " + name, trainer.value(name));
    }
  }

  Logits logits(std::span<const float> values, const std::string& key) {
    const auto count = static_cast<std::size_t>(std::min<std::int64_t>(8, config_.classes));
    return {{values.begin(), values.begin() + static_cast<std::ptrdiff_t>(count)}, probe_and_note(values, key)};
  }

  Named<engine::Probe> head_parameters(const engine::Trainer& trainer) const {
    Named<engine::Probe> probes;
    for (const std::string& name : trainer.parameter_names()) {
      const bool of_head =
          std::find(config_.head_keys.begin(), config_.head_keys.end(), name) != config_.head_keys.end();
      if (of_head) probes.emplace_back(name, probe(trainer.value(name), "param:" + name));
    }
    return probes;
  }

  void evaluate() {
    cli::check_interrupted();
    engine::Evaluator evaluator(build(false), options_.threads, options_.memory);
    set_parameters(evaluator);
    engine::golden_images(config_.batch, config_.size, config_.seed, evaluator.images());
    evaluator.run();
    result_.values.eval_logits = logits(evaluator.logits(), "eval_logits");
  }

  void train() {
    Values& values = result_.values;
    engine::TrainerOptions options;
    options.optimizer.momentum = 0.9f;
    options.optimizer.weight_decay = 1e-4f;
    options.keep_gradients = options_.keep_gradients;
    engine::Trainer trainer = make_trainer(options, 0.001f);
    for (const std::string& name : trainer.parameter_names()) values.shapes.emplace_back(name, trainer.shape_of(name));
    for (const std::string& name : trainer.buffer_names())
      values.buffer_shapes.emplace_back(name, trainer.shape_of(name));

    values.losses.push_back(step(trainer, "train", 0));
    values.train_logits = logits(trainer.logits(), "train_logits");
    if (options_.keep_gradients) {
      for (const std::string& name : trainer.parameter_names()) {
        values.grads.emplace_back(name, probe_and_note(trainer.gradient(name), "grad:" + name));
      }
    }
    for (const std::string& name : trainer.buffer_names()) {
      if (!is_derived_buffer(name))
        values.buffers.emplace_back(name, probe_and_note(trainer.value(name), "buffer:" + name));
    }
    values.losses.push_back(step(trainer, "train", 1));
    values.losses.push_back(step(trainer, "train", 2));
    values.params_after = head_parameters(trainer);
    note_parameters(trainer, "train");
    values.losses.push_back(step(trainer, "train", 3));
  }

  void train_head() {
    Values& values = result_.values;
    engine::TrainerOptions options;
    options.trainable = config_.head_keys;
    engine::Trainer trainer = make_trainer(options, 0.01f);
    for (int number = 0; number < 3; ++number) values.head_losses.push_back(step(trainer, "head", number));
    values.head_params_after = head_parameters(trainer);
    note_parameters(trainer, "head");
  }

  const Config& config_;
  const RunOptions& options_;
  const models::ModelInfo& info_;
  RunResult result_;
};

}  // namespace

RunResult run_protocol(const Config& config, const RunOptions& options) { return Protocol(config, options).run(); }

}  // namespace bramble::parity
