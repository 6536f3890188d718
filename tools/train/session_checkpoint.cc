// What a run keeps, and how it goes on from there.
#include <fmt/format.h>

#include <bit>

#include "engine/data/file.h"
#include "tools/train/derived_tensors.h"
#include "tools/train/session.h"

namespace bramble::train {
namespace {

constexpr const char* kSessionTensor = "session";

}  // namespace

void Session::resume(const engine::Checkpoint& checkpoint) {
  engine::load_model(engine::SafetensorsFile(checkpoint.model()), engine::values_of(trainer_), {});
  const engine::SafetensorsFile file(checkpoint.trainer());
  engine::load_state(file, trainer_);
  const engine::StoredTensor* stored = file.find(kSessionTensor);
  if (stored == nullptr || stored->shape != std::vector<std::int64_t>{8})
    throw engine::FileError(file.path(), "has no tensor 'session' of eight numbers");
  const std::vector<std::int64_t> numbers = file.integers(*stored);
  state_ = {numbers[0],
            static_cast<std::uint64_t>(numbers[1]),
            numbers[2],
            std::bit_cast<double>(numbers[3]),
            std::bit_cast<double>(numbers[4]),
            std::bit_cast<double>(numbers[5]),
            numbers[6],
            numbers[7]};
  trainer_.set_steps(state_.step - state_.skipped);
  fmt::print("continuing after step {} of {}\n", state_.step, steps_);
}

void Session::check_parameters() {
  const std::string parameter = trainer_.parameter_not_finite();
  if (parameter.empty()) return;
  progress_->clear();
  throw std::runtime_error(fmt::format("step {}: parameter '{}' is not finite, as its gradient overflowed; {}. {}",
                                       state_.step, parameter, last_good(), kAdvice));
}

void Session::check_values() {
  if (const std::string name = trainer_.value_not_finite(); !name.empty()) {
    progress_->clear();
    throw std::runtime_error(
        fmt::format("step {}: '{}' is not finite any more; {}. {}", state_.step, name, last_good(), kAdvice));
  }
}

void Session::save() {
  check_values();
  last_checkpoint_ = engine::save_checkpoint(options_.out / "checkpoints", state_.step, [&](const auto& checkpoint) {
    write_model(checkpoint.model(), engine::Values::current);
    std::vector<engine::TensorToWrite> tensors = engine::state_tensors(trainer_);
    const auto bits = [](double value) { return std::bit_cast<std::int64_t>(value); };
    tensors.push_back(engine::integer_tensor(
        kSessionTensor, {8},
        {state_.step, static_cast<std::int64_t>(state_.position), state_.epoch_steps, bits(state_.epoch_loss),
         bits(state_.epoch_top1), bits(state_.best_top1), state_.skipped, state_.ended_epoch}));
    engine::write_safetensors(checkpoint.trainer(), tensors, {});
  });
}

void Session::write_model(const std::filesystem::path& path, engine::Values which) const {
  std::vector<engine::TensorToWrite> tensors = engine::model_tensors(trainer_, which);
  complete_for_pytorch(description_, tensors);
  engine::write_safetensors(path, tensors, description_.to_metadata());
}

std::string Session::last_good() const {
  return last_checkpoint_ ? "the last good checkpoint is " + last_checkpoint_->path.string()
                          : "there is no checkpoint yet";
}

}  // namespace bramble::train
