#include "bench/bench_models_data.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/bench_models_progress.h"
#include "engine/data/generated.h"
#include "engine/data/image_folder.h"
#include "engine/data/loader.h"
#include "tools/cli/program.h"

namespace bramble::bench {
namespace {

// Two keep ahead of four computing threads on 224 x 224 JPEGs by far; more would only compete with them.
constexpr int kLoaderThreads = 2;

std::filesystem::path generated_folder(const Options& options) {
  std::unique_ptr<Progress> progress;
  const auto report = [&](int done, int total) {
    cli::check_interrupted();
    if (!progress) progress = std::make_unique<Progress>(fmt::format("writing {} generated images, once", total));
    if (done == total) {
      progress->finish("done");
    } else if (done % 50 == 0) {
      progress->update(fmt::format("{}", done));
    }
  };
  return engine::generated_images(engine::cache_folder(), {.classes = options.classes, .size = options.size}, report);
}

engine::DatasetPtr read_folder(const Options& options) {
  const std::filesystem::path root = options.data.empty() ? generated_folder(options) : options.data;
  const auto folder = std::make_shared<const engine::ImageFolder>(engine::read_image_folder(root, options.classes));
  // Before the first model is planned, not after.
  if (folder->size() < static_cast<std::size_t>(options.batch)) {
    throw std::runtime_error(fmt::format("{}: a batch of {} is larger than the data: {} images", root.string(),
                                         options.batch, folder->size()));
  }
  return folder;
}

// Distinct batches that the run can see: one epoch's at most.
std::size_t batches_needed(const Options& options, std::size_t images) {
  const std::size_t steps = static_cast<std::size_t>(options.warmup) + static_cast<std::size_t>(options.steps);
  return std::min(steps, images / static_cast<std::size_t>(options.batch));
}

}  // namespace

Data::Data(const Options& options) : options_(options), images_(read_folder(options)) {}

void Data::note_skipped(const std::string& path_and_reason) {
  if (skipped_.insert(path_and_reason).second) print_notice("warning: skipped " + path_and_reason);
}

std::unique_ptr<engine::BatchSource> Data::open() {
  if (stored_) return std::make_unique<engine::StoredBatches>(*stored_);
  auto loader = std::make_unique<engine::Loader>(
      images_, engine::LoaderOptions{.batch = options_.batch, .size = options_.size, .threads = kLoaderThreads},
      [this](const std::string& message) { note_skipped(message); });
  if (!options_.in_memory) return loader;
  const auto labels = static_cast<std::size_t>(options_.batch);
  const auto side = static_cast<std::size_t>(options_.size);
  stored_.emplace(*loader, batches_needed(options_, images_->size()), labels * side * side * 3, labels);
  return std::make_unique<engine::StoredBatches>(*stored_);
}

}  // namespace bramble::bench
