// Where a training loop gets its batches from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace bramble::engine {

class BatchSource {
 public:
  virtual ~BatchSource() = default;
  /// Fills one batch: images [batch, size, size, 3], normalised, and their labels. Waits for it if it must.
  virtual void next(std::span<float> images, std::span<std::int32_t> labels) = 0;
};

/// Batches that were decoded beforehand, again and again. Starts no thread. A copy shares the batches.
class StoredBatches : public BatchSource {
 public:
  /// Takes `count` batches from `source`, which may go afterwards.
  StoredBatches(BatchSource& source, std::size_t count, std::size_t image_values, std::size_t labels);
  void next(std::span<float> images, std::span<std::int32_t> labels) override;

 private:
  struct Batch {
    std::vector<float> images;
    std::vector<std::int32_t> labels;
  };
  std::shared_ptr<const std::vector<Batch>> batches_;
  std::size_t next_ = 0;
};

}  // namespace bramble::engine
