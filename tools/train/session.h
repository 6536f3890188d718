// One run of `bramble train`, from the first step or from its last checkpoint to its end.
#pragma once

#include <memory>

#include "engine/data/loader.h"
#include "engine/model_file.h"
#include "engine/training/checkpoint_folder.h"
#include "engine/training/schedule.h"
#include "tools/train/data.h"
#include "tools/train/metrics.h"
#include "tools/train/options.h"
#include "tools/train/progress.h"

namespace bramble::train {

class Session {
 public:
  /// Reads the data, plans the model and loads its values. Throws before anything is written.
  explicit Session(const Options& options);

  /// Trains to the end. Throws cli::Interrupted, with a checkpoint written, when a signal has been noted.
  void run();

 private:
  static constexpr const char* kAdvice = "A lower --lr, --warmup-epochs or --clip-grad may help";

  /// What a continued run needs to know besides what the trainer keeps.
  struct State {
    std::int64_t step = 0;
    std::uint64_t position = 0;  ///< in the loader's stream
    std::int64_t epoch_steps = 0;
    double epoch_loss = 0;  ///< sums over the epoch's steps so far
    double epoch_top1 = 0;
    double best_top1 = -1;
    std::int64_t skipped = 0;  ///< steps whose loss was not finite
    std::int64_t ended_epoch = 0;  ///< trained, but not evaluated yet; counts from 1, 0: none
  };

  engine::Trainer make_trainer() const;
  engine::TrainerOptions trainer_options(const graph::Model& model) const;
  void load_initial_values();
  void resume(const engine::Checkpoint& checkpoint);
  std::int64_t steps_of(double epochs) const;
  void make_schedule();

  void train();
  /// Makes OUT and what is written there from the first step on.
  void prepare_out();
  void train_step();
  /// The next batch into the trainer, mixed up if asked for. Where the data has gone, a checkpoint is written first.
  void load_batch();
  /// Throws, unless the step is to be skipped and that can help.
  void meet_bad_loss(float loss);
  /// A gradient that overflows shows in the next loss, which is a step too late to name it. Throws.
  void check_parameters();
  /// What is written has no NaN: running statistics and the optimiser's state may overflow while the loss does not.
  /// Throws.
  void check_values();
  std::string last_good() const;  ///< for error messages
  /// Evaluates what State::ended_epoch says. Where the data has gone, a checkpoint is written first.
  void end_epoch();
  Evaluation evaluate_now();
  void save();
  void write_model(const std::filesystem::path& path, engine::Values which) const;
  void write_results();
  void write_report();
  void note_skipped(const std::string& path_and_reason);

  Options options_;
  Data data_;
  ModelDescription description_;
  engine::Trainer trainer_;
  engine::Schedule schedule_;
  std::int64_t steps_ = 0;  ///< of the whole run
  State state_;
  int skipped_in_a_row_ = 0;
  std::optional<engine::Checkpoint> last_checkpoint_;
  std::optional<Evaluation> last_evaluation_;
  std::unique_ptr<engine::StepRecord> last_step_;  ///< the times of the run's last one, for the report
  std::unique_ptr<engine::Loader> loader_;
  std::unique_ptr<MetricsLog> metrics_;
  std::unique_ptr<Progress> progress_;
};

}  // namespace bramble::train
