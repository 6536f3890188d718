#include "engine/data/dataset.h"

#include <numeric>
#include <utility>

namespace bramble::engine {
namespace {

std::vector<std::int32_t> unchanged(std::size_t classes) {
  std::vector<std::int32_t> labels(classes);
  std::iota(labels.begin(), labels.end(), 0);
  return labels;
}

}  // namespace

DatasetView::DatasetView(DatasetPtr of, std::vector<std::size_t> samples, std::vector<std::string> classes,
                         std::vector<std::int32_t> labels)
    : of_(std::move(of)), samples_(std::move(samples)), classes_(std::move(classes)), labels_(std::move(labels)) {}

DatasetView::DatasetView(DatasetPtr of, std::vector<std::size_t> samples)
    : DatasetView(of, std::move(samples), of->class_names(), unchanged(of->class_names().size())) {}

std::int32_t DatasetView::label(std::size_t sample) const {
  return labels_[static_cast<std::size_t>(of_->label(samples_[sample]))];
}

void DatasetView::decode(std::size_t sample, ImageDecoder& decoder, Image& image) const {
  of_->decode(samples_[sample], decoder, image);
}

}  // namespace bramble::engine
