// A run's checkpoints: one folder for each, complete or not there at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

namespace bramble::engine {

struct Checkpoint {
  std::int64_t step = 0;
  std::filesystem::path path;  ///< ROOT/step-00000120

  std::filesystem::path model() const { return path / "model.safetensors"; }
  std::filesystem::path trainer() const { return path / "trainer.safetensors"; }
};

/// The one with the most steps; none if `root` has none. What was left half-written is not seen.
std::optional<Checkpoint> newest_checkpoint(const std::filesystem::path& root);

/// Calls `write` with a checkpoint in a folder of another name, which gets its own when all is on the disk: a power cut
/// at any moment leaves the last good one, and so does what `write` throws. One of the same step is replaced; older
/// ones and half-written ones are removed afterwards.
Checkpoint save_checkpoint(const std::filesystem::path& root, std::int64_t step,
                           const std::function<void(const Checkpoint&)>& write);

}  // namespace bramble::engine
