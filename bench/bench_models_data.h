// The images of a benchmark: generated or the user's, from disk during the steps or from memory.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "bench/bench_models_options.h"
#include "engine/data/batches.h"
#include "engine/data/dataset.h"

namespace bramble::bench {

class Data {
 public:
  /// Reads the folder, or writes the generated one first. Throws for a folder that cannot serve the options.
  explicit Data(const Options& options);

  /// A fresh source: the same batches for every model and task.
  std::unique_ptr<engine::BatchSource> open();

  std::size_t skipped() const { return skipped_.size(); }

 private:
  void note_skipped(const std::string& path_and_reason);

  const Options& options_;
  engine::DatasetPtr images_;
  std::optional<engine::StoredBatches> stored_;  ///< with --in-memory, from the first open() on; never advanced
  std::set<std::string> skipped_;
};

}  // namespace bramble::bench
