// Runs a golden file's protocol with the engine: an evaluation, four training steps, three steps of the head only.
#pragma once

#include "engine/trainer.h"
#include "tools/parity/golden_file.h"

namespace bramble::parity {

struct RunOptions {
  int threads = 0;  ///< 0: one for each core
  engine::MemoryMode memory = engine::MemoryMode::planned;
  bool keep_gradients = true;  ///< false: Values::grads stays empty, and the plan is the one that training uses
};

struct RunResult {
  Values values;
  Named<std::uint64_t> bits;  ///< a hash of every tensor that the run yielded, bit for bit: "grad:fc.weight"
};

/// Throws what building and planning the model throw, and
/// cli::Interrupted between two steps.
RunResult run_protocol(const Config& config, const RunOptions& options);

}  // namespace bramble::parity
