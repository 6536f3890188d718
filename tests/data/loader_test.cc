#include "engine/data/loader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "engine/data/file.h"
#include "engine/data/idx.h"
#include "engine/data/image_decoder.h"
#include "engine/data/image_folder.h"
#include "engine/data/normalise.h"
#include "engine/data/resize.h"
#include "tests/data/packed_files.h"

namespace bramble::engine {
namespace {

namespace fs = std::filesystem;

constexpr int kSize = 24;
constexpr std::size_t kValues = kSize * kSize * 3;

ImageFolder photos() { return read_image_folder(test::source_file("photos"), 1000); }

DatasetPtr shared(ImageFolder folder) { return std::make_shared<const ImageFolder>(std::move(folder)); }

struct Batch {
  std::vector<float> images;
  std::vector<std::int32_t> labels;
  bool operator==(const Batch&) const = default;
};

Batch next_batch(BatchSource& source, int batch) {
  Batch result{std::vector<float>(static_cast<std::size_t>(batch) * kValues),
               std::vector<std::int32_t>(static_cast<std::size_t>(batch))};
  source.next(result.images, result.labels);
  return result;
}

std::vector<Batch> batches(const ImageFolder& folder, LoaderOptions options, int count) {
  options.size = kSize;
  Loader loader(shared(folder), options, nullptr);
  std::vector<Batch> result;
  for (int i = 0; i < count; ++i) result.push_back(next_batch(loader, options.batch));
  return result;
}

std::vector<float> read_alone(const fs::path& path) {
  Image image;
  ImageDecoder().decode(path, image);
  std::vector<std::uint8_t> rgb(kValues);
  Resizer().resize_and_crop(image, kSize, rgb);
  std::vector<float> values(kValues);
  Normaliser().apply(rgb, values);
  return values;
}

// A copy of the photographs in which some are spoilt.
class SpoiltPhotos {
 public:
  explicit SpoiltPhotos(std::size_t spoilt) {
    fs::copy(test::source_file("photos"), folder_.path() / "photos", fs::copy_options::recursive);
    root_ = folder_.path() / "photos";
    const ImageFolder all = read_image_folder(root_, 1000);
    for (std::size_t i = 0; i < spoilt; ++i) {
      const fs::path& path = all.samples[(i * 5) % all.samples.size()].path;
      test::write_whole(path, test::read_whole(path).substr(0, 3000));
      names_.insert(path.string());
    }
  }
  ImageFolder read() const { return read_image_folder(root_, 1000); }
  const std::set<std::string>& names() const { return names_; }

 private:
  test::TemporaryFolder folder_;
  fs::path root_;
  std::set<std::string> names_;
};

TEST(Loader, ImagesComeWithTheirOwnLabels) {
  const ImageFolder folder = photos();
  const Batch all = batches(folder, {.batch = 13, .shuffle = false}, 1).front();
  for (std::size_t i = 0; i < folder.samples.size(); ++i) {
    EXPECT_EQ(all.labels[i], folder.samples[i].label);
    const std::vector<float> alone = read_alone(folder.samples[i].path);
    EXPECT_TRUE(std::equal(alone.begin(), alone.end(), all.images.begin() + static_cast<std::ptrdiff_t>(i * kValues)))
        << folder.samples[i].path;
  }
}

TEST(Loader, AnEpochHasEveryImageOnce) {
  const std::vector<Batch> epochs = batches(photos(), {.batch = 13}, 3);
  const auto sorted_firsts = [](const Batch& batch) {
    std::vector<std::vector<float>> images;
    for (std::size_t i = 0; i < 13; ++i) {
      images.emplace_back(batch.images.begin() + static_cast<std::ptrdiff_t>(i * kValues),
                          batch.images.begin() + static_cast<std::ptrdiff_t>((i + 1) * kValues));
    }
    std::sort(images.begin(), images.end());
    return images;
  };
  EXPECT_EQ(sorted_firsts(epochs[0]), sorted_firsts(epochs[1]));
  EXPECT_NE(epochs[0], epochs[1]) << "each epoch has its own order";
  EXPECT_NE(epochs[1], epochs[2]);
}

TEST(Loader, OrderDependsOnTheSeedAndNotOnTheThreads) {
  const std::vector<Batch> one = batches(photos(), {.batch = 5, .threads = 1, .seed = 3}, 7);
  for (int threads : {2, 3, 8}) EXPECT_EQ(one, batches(photos(), {.batch = 5, .threads = threads, .seed = 3}, 7));
  EXPECT_NE(one, batches(photos(), {.batch = 5, .threads = 1, .seed = 4}, 7));
}

TEST(Loader, AugmentedImagesDependOnTheSeedAndNotOnTheThreads) {
  const AugmentOptions augment{.crop = true, .flip = 0.5};
  const std::vector<Batch> one = batches(photos(), {.batch = 5, .threads = 1, .seed = 3, .augment = augment}, 7);
  for (int threads : {2, 8})
    EXPECT_EQ(one, batches(photos(), {.batch = 5, .threads = threads, .seed = 3, .augment = augment}, 7));
  EXPECT_NE(one, batches(photos(), {.batch = 5, .threads = 1, .seed = 3}, 7));
}

TEST(Loader, ContinuesAnotherLoadersStream) {
  LoaderOptions options{.batch = 5, .size = kSize, .threads = 2, .seed = 3, .augment = {.crop = true, .flip = 0.5}};
  const std::vector<Batch> whole = batches(photos(), options, 7);
  for (const int before : {1, 2, 5}) {
    Loader first(shared(photos()), options, nullptr);
    for (int i = 0; i < before; ++i) next_batch(first, 5);
    LoaderOptions rest = options;
    rest.start = first.position();
    Loader second(shared(photos()), rest, nullptr);
    for (std::size_t i = static_cast<std::size_t>(before); i < 7; ++i) EXPECT_EQ(next_batch(second, 5), whole[i]);
  }
}

TEST(Loader, AnEpochMayEndWithinABatch) {
  const SpoiltPhotos spoilt(3);
  for (const int batch : {1, 4, 5, 10, 13, 40}) {
    Loader loader(shared(spoilt.read()), {.batch = batch, .size = kSize, .shuffle = false, .partial = true}, nullptr);
    std::vector<float> images(static_cast<std::size_t>(batch) * kValues);
    std::vector<std::int32_t> labels(static_cast<std::size_t>(batch));
    for (int epoch = 0; epoch < 3; ++epoch) {
      std::vector<std::size_t> seen;
      while (const std::size_t filled = loader.next_of_epoch(images, labels)) {
        ASSERT_EQ(loader.samples().size(), filled);
        seen.insert(seen.end(), loader.samples().begin(), loader.samples().end());
      }
      EXPECT_EQ(seen.size(), 10U) << batch;
      EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
    }
  }
}

TEST(Loader, CorruptImagesAreNamedOnceAndLeftOut) {
  const SpoiltPhotos spoilt(3);
  for (int threads : {1, 4}) {
    std::multiset<std::string> reported;
    Loader loader(shared(spoilt.read()), {.batch = 4, .size = kSize, .threads = threads},
                  [&](const std::string& message) { reported.insert(message.substr(0, message.find(": "))); });
    for (int i = 0; i < 12; ++i) next_batch(loader, 4);
    EXPECT_EQ(reported, std::multiset<std::string>(spoilt.names().begin(), spoilt.names().end()));
    EXPECT_EQ(loader.skipped(), 3U);
  }
}

TEST(Loader, OrderWithoutTheCorruptOnesIsTheSameForAnyThreads) {
  const SpoiltPhotos spoilt(3);
  EXPECT_EQ(batches(spoilt.read(), {.batch = 4, .threads = 1}, 8),
            batches(spoilt.read(), {.batch = 4, .threads = 3}, 8));
}

TEST(Loader, NoReadableImageLeftIsAnError) {
  const SpoiltPhotos spoilt(13);
  EXPECT_THROW(
      {
        try {
          batches(spoilt.read(), {.batch = 4}, 1);
        } catch (const std::runtime_error& error) {
          EXPECT_STREQ(error.what(), "no readable image is left: all 13 are corrupt");
          throw;
        }
      },
      std::runtime_error);
}

TEST(Loader, ABatchLargerThanTheReadableDataIsAnError) {
  EXPECT_THROW(batches(photos(), {.batch = 14}, 1), std::runtime_error);
  const SpoiltPhotos spoilt(2);
  EXPECT_THROW(batches(spoilt.read(), {.batch = 12}, 1), std::runtime_error);
  EXPECT_NO_THROW(batches(spoilt.read(), {.batch = 11}, 3));
}

TEST(Loader, DataThatGoesAsAWholeIsNoCorruptImage) {
  const SpoiltPhotos photographs(0);
  std::vector<std::string> reported;
  Loader loader(shared(photographs.read()), {.batch = 4, .size = kSize, .shuffle = false},
                [&](const std::string& message) { reported.push_back(message); });
  next_batch(loader, 4);
  const fs::path root = photographs.read().samples[0].path.parent_path().parent_path();
  fs::rename(root, root.string() + " away");
  EXPECT_THROW(
      {
        for (int i = 0; i < 8; ++i) next_batch(loader, 4);
      },
      DataGone);
  EXPECT_TRUE(reported.empty()) << reported.front();
}

TEST(Loader, PicturesThatAreNoFilesComeWithTheirLabels) {
  const test::TemporaryFolder folder;
  test::write_mnist(folder.path(), 13, 5);
  const DatasetPtr digits = find_idx(folder.path())->train;
  LoaderOptions options{.batch = 5, .size = 28, .threads = 1, .seed = 3, .augment = {.crop = true, .flip = 0.5}};
  std::vector<std::vector<float>> streams;
  for (const int threads : {1, 2, 7}) {
    options.threads = threads;
    Loader loader(digits, options, nullptr);
    std::vector<float> images(5 * 28 * 28 * 3), stream;
    std::vector<std::int32_t> labels(5);
    for (int i = 0; i < 4; ++i) {
      loader.next(images, labels);
      for (std::size_t place = 0; place < 5; ++place)
        EXPECT_EQ(labels[place], static_cast<std::int32_t>(loader.samples()[place] % 10));
      stream.insert(stream.end(), images.begin(), images.end());
    }
    streams.push_back(stream);
  }
  EXPECT_EQ(streams[0], streams[1]);
  EXPECT_EQ(streams[0], streams[2]);
}

TEST(Loader, MayGoWhileItsThreadsAreBusy) {
  for (int i = 0; i < 20; ++i) Loader(shared(photos()), {.batch = 13, .size = kSize, .threads = 3}, nullptr);
}

TEST(StoredBatches, RepeatWhatTheLoaderGave) {
  const std::vector<Batch> loaded = batches(photos(), {.batch = 4}, 3);
  LoaderOptions options{.batch = 4, .size = kSize};
  Loader loader(shared(photos()), options, nullptr);
  StoredBatches stored(loader, 3, 4 * kValues, 4);
  for (int i = 0; i < 6; ++i) EXPECT_EQ(next_batch(stored, 4), loaded[static_cast<std::size_t>(i % 3)]);
}

}  // namespace
}  // namespace bramble::engine
