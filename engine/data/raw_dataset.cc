#include "engine/data/raw_dataset.h"

#include <algorithm>
#include <utility>

namespace bramble::engine {

RawDataset::RawDataset(std::vector<std::string> classes, const RawFormat& format, std::vector<RawImages> files)
    : classes_(std::move(classes)), format_(format), files_(std::move(files)) {
  for (const RawImages& file : files_) size_ += file.labels.size();
}

RawDataset::Place RawDataset::find(std::size_t sample) const {
  auto file = files_.begin();
  for (; sample >= file->labels.size(); ++file) sample -= file->labels.size();
  return {*file, sample};
}

std::int32_t RawDataset::label(std::size_t sample) const {
  const Place place = find(sample);
  return place.file.labels[place.index];
}

std::string RawDataset::name(std::size_t sample) const {
  const Place place = find(sample);
  return place.file.bytes->path().string() + ": image " + std::to_string(place.index);
}

void RawDataset::decode(std::size_t sample, ImageDecoder& decoder, Image& image) const {
  const Place place = find(sample);
  const ByteSource& bytes = *place.file.bytes;
  resize_for(bytes.path(), format_.width, format_.height, image);
  const std::size_t pixels = image.pixels.size() / 3;
  std::vector<std::uint8_t>& planes = decoder.scratch();
  planes.resize(pixels * static_cast<std::size_t>(format_.planes));
  bytes.read(place.file.first + place.index * place.file.stride, planes);
  const std::size_t next_plane = format_.planes == 3 ? pixels : 0;
  for (std::size_t pixel = 0; pixel < pixels; ++pixel)
    for (std::size_t channel = 0; channel < 3; ++channel)
      image.pixels[pixel * 3 + channel] = planes[channel * next_plane + pixel];
}

void RawDataset::check_present(std::size_t sample) const {
  throw DataGone(find(sample).file.bytes->path(), "cannot be read any more: removed or shortened");
}

std::vector<std::string> class_names_of(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  std::vector<std::string> names;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    const std::size_t last = line.find_last_not_of(kBlank);
    if (last != std::string_view::npos) names.emplace_back(line.substr(0, last + 1));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return names;
}

}  // namespace bramble::engine
