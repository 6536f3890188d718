#include "engine/data/loader.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "engine/data/file.h"
#include "engine/data/jpeg.h"
#include "engine/data/normalise.h"
#include "engine/data/resize.h"

namespace bramble::engine {
namespace {

// A thread's own decoder and buffers: path to normalised values.
class ImageReader {
 public:
  explicit ImageReader(int size)
      : size_(size), cropped_(static_cast<std::size_t>(size) * static_cast<std::size_t>(size) * 3) {}

  void read(const std::filesystem::path& path, std::span<float> values) {
    decoder_.decode(path, image_);
    if (image_.width == size_ && image_.height == size_) {
      normalise(image_.pixels, values);
      return;
    }
    resizer_.resize_and_crop(image_, size_, cropped_);
    normalise(cropped_, values);
  }

 private:
  int size_;
  JpegDecoder decoder_;
  Resizer resizer_;
  Image image_;
  std::vector<std::uint8_t> cropped_;
};

// splitmix64, and Fisher-Yates with its remainder: std::shuffle's order differs between C++ libraries.
void shuffle(std::vector<std::uint32_t>& order, std::uint64_t seed, std::uint64_t epoch) {
  std::uint64_t state = seed * 0xd1342543de82ef95ULL + epoch * 0xda942042e4dd58b5ULL;
  for (std::size_t i = order.size(); i > 1; --i) {
    std::uint64_t z = state += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    std::swap(order[i - 1], order[(z ^ (z >> 31)) % i]);
  }
}

}  // namespace

Loader::Loader(ImageFolder folder, const LoaderOptions& options, SkipReport report_skip)
    : folder_(std::move(folder)), options_(options), report_skip_(std::move(report_skip)) {
  const std::size_t images = folder_.samples.size();
  if (images < static_cast<std::size_t>(options_.batch)) {
    throw std::runtime_error("a batch of " + std::to_string(options_.batch) +
                             " is larger than the data: " + std::to_string(images) + " images");
  }
  order_.resize(images);
  std::iota(order_.begin(), order_.end(), 0U);
  failed_.resize(images);
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

// The next number in the stream is already counted as claimed by the caller.
std::size_t Loader::claim_sample() {
  const std::uint64_t position = claimed_ % order_.size();
  if (position == 0 && options_.shuffle) {
    std::iota(order_.begin(), order_.end(), 0U);
    shuffle(order_, options_.seed, claimed_ / order_.size());
  }
  ++claimed_;
  return order_[position];
}

void Loader::work(const std::stop_token& stop) {
  ImageReader reader(options_.size);
  std::unique_lock lock(mutex_);
  while (slot_free_.wait(lock, stop, [this] { return claimed_ < consumed_ + ring_.size(); })) {
    Slot& slot = ring_[claimed_ % ring_.size()];
    slot.sample = claim_sample();
    bool read = false;
    if (!failed_[slot.sample]) {
      lock.unlock();
      try {
        reader.read(folder_.samples[slot.sample].path, slot.values);
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
  ++skipped_;
  if (report_skip_) report_skip_(slot.reason);
}

void Loader::end_epoch() {
  const std::size_t readable = std::exchange(readable_in_epoch_, 0);
  if (readable == 0)
    throw std::runtime_error("no readable image is left: all " + std::to_string(skipped_) + " are corrupt");
  if (readable < static_cast<std::size_t>(options_.batch)) {
    throw std::runtime_error("a batch of " + std::to_string(options_.batch) + " is larger than the data: " +
                             std::to_string(readable) + " readable images, " + std::to_string(skipped_) + " skipped");
  }
}

void Loader::next(std::span<float> images, std::span<std::int32_t> labels) {
  std::size_t filled = 0;
  while (filled < static_cast<std::size_t>(options_.batch)) {
    Slot& slot = wait_for_slot();
    if (slot.state == Slot::State::ready) {
      std::copy(slot.values.begin(), slot.values.end(),
                images.begin() + static_cast<std::ptrdiff_t>(filled * slot.values.size()));
      labels[filled] = folder_.samples[slot.sample].label;
      ++filled;
      ++readable_in_epoch_;
    } else {
      note_failure(slot);
    }
    release_slot(slot);
    if (consumed_ % order_.size() == 0) end_epoch();
  }
}

}  // namespace bramble::engine
