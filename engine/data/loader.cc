#include "engine/data/loader.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "engine/data/preprocessor.h"

namespace bramble::engine {
namespace {

/// Streams of random numbers from here on belong to images, those below to epochs' orders.
constexpr std::uint64_t kImageStreams = std::uint64_t{1} << 32;

// Fisher-Yates: std::shuffle's order differs between C++ libraries.
void shuffle(std::vector<std::uint32_t>& order, std::uint64_t seed, std::uint64_t epoch) {
  DataRandom random(seed, epoch);
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
}

}  // namespace

Loader::Loader(DatasetPtr dataset, const LoaderOptions& options, SkipReport report_skip)
    : dataset_(std::move(dataset)), options_(options), report_skip_(std::move(report_skip)) {
  const std::size_t images = dataset_->size();
  if (images < static_cast<std::size_t>(options_.batch) && !options_.partial) {
    throw std::runtime_error("a batch of " + std::to_string(options_.batch) +
                             " is larger than the data: " + std::to_string(images) + " images");
  }
  order_.resize(images);
  std::iota(order_.begin(), order_.end(), 0U);
  failed_.resize(images);
  claimed_ = consumed_ = options_.start;
  samples_.reserve(static_cast<std::size_t>(options_.batch));
  // Two batches ahead: one that waits and one in the making.
  ring_.resize(static_cast<std::size_t>(options_.batch) * 2);
  const std::size_t values = static_cast<std::size_t>(options_.size) * static_cast<std::size_t>(options_.size) * 3;
  for (Slot& slot : ring_) slot.values.resize(values);
  for (int i = 0; i < options_.threads; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
  }
}

Loader::~Loader() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

std::size_t Loader::claim_sample() {
  const std::uint64_t epoch = claimed_ / order_.size();
  if (options_.shuffle && epoch != order_epoch_) {
    std::iota(order_.begin(), order_.end(), 0U);
    shuffle(order_, options_.seed, epoch);
    order_epoch_ = epoch;
  }
  return order_[claimed_++ % order_.size()];
}

void Loader::work(const std::stop_token& stop) {
  ImageDecoder decoder;
  Image image;
  Preprocessor preprocessor(options_.size, options_.preprocessing, options_.augment);
  std::unique_lock lock(mutex_);
  while (slot_free_.wait(lock, stop, [this] { return claimed_ < consumed_ + ring_.size(); })) {
    const std::uint64_t number = claimed_;
    Slot& slot = ring_[number % ring_.size()];
    slot.sample = claim_sample();
    bool read = false;
    if (!failed_[slot.sample]) {
      lock.unlock();
      try {
        dataset_->decode(slot.sample, decoder, image);
        preprocessor.apply(image, {options_.seed, kImageStreams + number}, slot.values);
        read = true;
      } catch (const std::exception& error) {
        slot.reason = error.what();
      }
      lock.lock();
    }
    slot.state = read ? Slot::State::ready : Slot::State::failed;
    slot_done_.notify_one();
  }
}

Loader::Slot& Loader::wait_for_slot() {
  std::unique_lock lock(mutex_);
  Slot& slot = ring_[consumed_ % ring_.size()];
  slot_done_.wait(lock, [&] { return slot.state != Slot::State::empty; });
  return slot;
}

void Loader::release_slot(Slot& slot) {
  {
    const std::scoped_lock lock(mutex_);
    slot.state = Slot::State::empty;
    ++consumed_;
  }
  slot_free_.notify_one();
}

void Loader::note_failure(const Slot& slot) {
  {
    const std::scoped_lock lock(mutex_);
    if (failed_[slot.sample]) return;
    failed_[slot.sample] = true;
  }
  dataset_->check_present(slot.sample);
  ++skipped_;
  if (report_skip_) report_skip_(slot.reason);
}

void Loader::end_epoch() {
  const std::size_t readable = std::exchange(readable_in_epoch_, 0);
  if (consumed_ < options_.start + order_.size()) return;  // taken up in the middle: what was before is not known
  if (readable == 0)
    throw std::runtime_error("no readable image is left: all " + std::to_string(skipped_) + " are corrupt");
  if (readable < static_cast<std::size_t>(options_.batch)) {
    throw std::runtime_error("a batch of " + std::to_string(options_.batch) + " is larger than the data: " +
                             std::to_string(readable) + " readable images, " + std::to_string(skipped_) + " skipped");
  }
}

/// The stream's next image to its place in the batch, unless it cannot be read.
void Loader::take(std::span<float> images, std::span<std::int32_t> labels, std::size_t place) {
  Slot& slot = wait_for_slot();
  if (slot.state == Slot::State::ready) {
    std::copy(slot.values.begin(), slot.values.end(),
              images.begin() + static_cast<std::ptrdiff_t>(place * slot.values.size()));
    labels[place] = dataset_->label(slot.sample);
    samples_.push_back(slot.sample);
    ++readable_in_epoch_;
  } else {
    note_failure(slot);
  }
  release_slot(slot);
}

void Loader::next(std::span<float> images, std::span<std::int32_t> labels) {
  samples_.clear();
  while (samples_.size() < static_cast<std::size_t>(options_.batch)) {
    take(images, labels, samples_.size());
    if (consumed_ % order_.size() == 0) end_epoch();
  }
}

std::size_t Loader::next_of_epoch(std::span<float> images, std::span<std::int32_t> labels) {
  samples_.clear();
  if (std::exchange(epoch_ended_, false)) return 0;
  while (samples_.size() < static_cast<std::size_t>(options_.batch) && !epoch_ended_) {
    take(images, labels, samples_.size());
    epoch_ended_ = consumed_ % order_.size() == 0;
  }
  // Batch and epoch may end together, or the last images be unreadable: then the epoch's end is reported at once.
  if (samples_.empty()) epoch_ended_ = false;
  return samples_.size();
}

}  // namespace bramble::engine
