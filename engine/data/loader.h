// Decodes a dataset's pictures on threads of its own while the caller computes.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "engine/data/augment.h"
#include "engine/data/batches.h"
#include "engine/data/dataset.h"

namespace bramble::engine {

struct LoaderOptions {
  int batch = 16;
  int size = 224;
  int threads = 2;
  std::uint64_t seed = 0;
  bool shuffle = true;  ///< a new order each epoch
  Preprocessing preprocessing = {};
  AugmentOptions augment = {};
  bool partial = false;     ///< next_of_epoch() will be called: there may be fewer images than a batch
  std::uint64_t start = 0;  ///< where in the stream to begin: another loader's position()
};

/// The stream of images is epoch after epoch, each in its own order; batches run across an epoch's end, so that all are
/// full. The stream depends on the seed only, never on the threads. An image that cannot be decoded is left out and
/// reported once. What is random about an image follows from the seed and its number in the stream. Allocates nothing
/// once each thread has met its largest image, but for a new epoch's order.
class Loader : public BatchSource {
 public:
  /// Called by the thread that calls next(), in the stream's order.
  using SkipReport = std::function<void(const std::string& path_and_reason)>;

  /// Throws if `dataset` has fewer images than a batch.
  Loader(DatasetPtr dataset, const LoaderOptions& options, SkipReport report_skip);
  ~Loader() override;

  /// Throws when an epoch ends with fewer readable images than a batch, and DataGone when the dataset says so.
  void next(std::span<float> images, std::span<std::int32_t> labels) override;

  /// Fills what is left of the epoch, at most a batch; returns how many, 0 at its end. The next call begins the next
  /// epoch.
  std::size_t next_of_epoch(std::span<float> images, std::span<std::int32_t> labels);

  /// Images that have been handed out or skipped since the stream's beginning.
  std::uint64_t position() const { return consumed_; }
  /// Of the last batch, as numbers in the dataset.
  std::span<const std::size_t> samples() const { return samples_; }
  std::size_t skipped() const { return skipped_; }

 private:
  // One image on its way, in the ring at its number in the stream modulo the ring's length.
  struct Slot {
    enum class State { empty, ready, failed };
    State state = State::empty;
    std::size_t sample = 0;
    std::string reason;
    std::vector<float> values;
  };

  void work(const std::stop_token& stop);
  std::size_t claim_sample();
  void take(std::span<float> images, std::span<std::int32_t> labels, std::size_t place);
  Slot& wait_for_slot();
  void release_slot(Slot& slot);
  void note_failure(const Slot& slot);
  void end_epoch();

  const DatasetPtr dataset_;
  const LoaderOptions options_;
  const SkipReport report_skip_;

  std::mutex mutex_;  // guards what follows, and every slot's state
  std::condition_variable_any slot_free_;
  std::condition_variable slot_done_;
  std::vector<Slot> ring_;
  std::vector<std::uint32_t> order_;  ///< of the epoch from which images are claimed
  static constexpr std::uint64_t kNoEpoch = ~std::uint64_t{0};
  std::uint64_t order_epoch_ = kNoEpoch;
  std::vector<bool> failed_;          ///< by sample: not to be decoded again
  std::uint64_t claimed_ = 0;         ///< numbers in the stream
  std::uint64_t consumed_ = 0;

  std::vector<std::size_t> samples_;  // these four the caller's thread only
  std::size_t skipped_ = 0;
  std::size_t readable_in_epoch_ = 0;
  bool epoch_ended_ = false;

  std::vector<std::jthread> threads_;  // last: they stop before the rest goes
};

}  // namespace bramble::engine
