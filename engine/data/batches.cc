#include "engine/data/batches.h"

#include <algorithm>
#include <utility>

namespace bramble::engine {

StoredBatches::StoredBatches(BatchSource& source, std::size_t count, std::size_t image_values, std::size_t labels) {
  auto batches = std::make_shared<std::vector<Batch>>(count);
  for (Batch& batch : *batches) {
    batch.images.resize(image_values);
    batch.labels.resize(labels);
    source.next(batch.images, batch.labels);
  }
  batches_ = std::move(batches);
}

void StoredBatches::next(std::span<float> images, std::span<std::int32_t> labels) {
  const Batch& batch = (*batches_)[next_];
  std::copy(batch.images.begin(), batch.images.end(), images.begin());
  std::copy(batch.labels.begin(), batch.labels.end(), labels.begin());
  next_ = (next_ + 1) % batches_->size();
}

}  // namespace bramble::engine
