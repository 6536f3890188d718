#include "engine/data/generated.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include "engine/data/file.h"
#include "engine/data/jpeg.h"

namespace bramble::engine {
namespace {

namespace fs = std::filesystem;

constexpr int kQuality = 90;
constexpr std::string_view kTemporary = ".tmp-";

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  float operator()() {  // [-1, 1)
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return static_cast<float>((z ^ (z >> 31)) >> 40) / float{1 << 23} - 1.0f;
  }

 private:
  std::uint64_t state_;
};

// Adds a grid of random colours, interpolated linearly between its points.
void add_octave(std::vector<float>& values, int size, int cells, float amplitude, Random& random) {
  const int points = cells + 1;
  std::vector<float> grid(static_cast<std::size_t>(points) * static_cast<std::size_t>(points) * 3);
  for (float& point : grid) point = amplitude * random();
  const auto at = [&](int y, int x) {
    return &grid[(static_cast<std::size_t>(y) * static_cast<std::size_t>(points) + static_cast<std::size_t>(x)) * 3];
  };
  float* value = values.data();
  for (int y = 0; y < size; ++y) {
    const float grid_y = static_cast<float>(y * cells) / static_cast<float>(size);
    const int top = static_cast<int>(grid_y);
    const float down = grid_y - static_cast<float>(top);
    for (int x = 0; x < size; ++x) {
      const float grid_x = static_cast<float>(x * cells) / static_cast<float>(size);
      const int left = static_cast<int>(grid_x);
      const float right = grid_x - static_cast<float>(left);
      for (int channel = 0; channel < 3; ++channel) {
        const float upper = at(top, left)[channel] * (1 - right) + at(top, left + 1)[channel] * right;
        const float lower = at(top + 1, left)[channel] * (1 - right) + at(top + 1, left + 1)[channel] * right;
        *value++ += upper * (1 - down) + lower * down;
      }
    }
  }
}

// Coarse shapes, finer ones on them, a little texture: about as many bytes as a photograph of the size.
Image picture(int size, std::uint64_t seed) {
  constexpr std::array<std::pair<int, float>, 3> kOctaves = {{{4, 80.0f}, {14, 40.0f}, {56, 20.0f}}};
  Random random(seed);
  std::vector<float> values(static_cast<std::size_t>(size) * static_cast<std::size_t>(size) * 3, 128.0f);
  for (const auto& [cells, amplitude] : kOctaves) add_octave(values, size, cells, amplitude, random);
  Image image{size, size, std::vector<std::uint8_t>(values.size())};
  std::transform(values.begin(), values.end(), image.pixels.begin(),
                 [](float value) { return static_cast<std::uint8_t>(std::clamp(value, 0.0f, 255.0f)); });
  return image;
}

std::string numbered(const char* format, int number) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), format, number);
  return text.data();
}

void write_images(const fs::path& folder, const GeneratedOptions& options, int images,
                  const std::function<void(int, int)>& progress) {
  JpegEncoder encoder;
  for (int i = 0; i < images; ++i) {
    const fs::path class_folder = folder / numbered("class_%05d", i % options.classes);
    fs::create_directory(class_folder);
    const fs::path path = class_folder / numbered("image_%05d.jpg", i);
    const std::vector<std::uint8_t> bytes =
        encoder.encode(picture(options.size, options.seed * 1'000'003 + static_cast<std::uint64_t>(i)), kQuality);
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!file.flush()) throw FileError(path, "cannot be written: " + std::string(std::strerror(errno)));
    if (progress) progress(i + 1, images);
  }
}

// The folder under its temporary name; gone unless it is renamed.
class UnfinishedFolder {
 public:
  explicit UnfinishedFolder(const fs::path& target)
      : path_(target.string() + std::string(kTemporary) + std::to_string(::getpid())) {
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  ~UnfinishedFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

  void rename_to(const fs::path& target) {
    const int fd = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
      ::syncfs(fd);  // a power cut must not leave the name with empty files under it
      ::close(fd);
    }
    std::error_code error;
    fs::rename(path_, target, error);
    // Another process may have finished the same folder first: as good.
    if (error && !fs::exists(target)) throw FileError(target, "cannot be written: " + error.message());
  }

 private:
  fs::path path_;
};

// What processes that were killed left.
void remove_leftovers(const fs::path& target) {
  const std::string prefix = target.filename().string() + std::string(kTemporary);
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(target.parent_path(), ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix)) continue;
    const int process = std::atoi(name.c_str() + prefix.size());
    if (process > 0 && ::kill(process, 0) != 0 && errno == ESRCH) fs::remove_all(entry.path(), ignored);
  }
}

}  // namespace

fs::path cache_folder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && fs::path(cache).is_absolute()) return fs::path(cache) / "bramble";
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home != '\0') return fs::path(home) / ".cache" / "bramble";
  throw std::runtime_error("no folder for generated images: set HOME or XDG_CACHE_HOME, or give --data");
}

fs::path generated_images(const fs::path& cache, const GeneratedOptions& options,
                          const std::function<void(int, int)>& progress) {
  const int images = std::max(options.images, options.classes);
  // Everything that the files depend on is in the name; v1: the way pictures are made.
  const fs::path target =
      cache / ("generated-v1-" + std::to_string(images) + "-images-" + std::to_string(options.classes) + "-classes-" +
               std::to_string(options.size) + "-pixels-seed-" + std::to_string(options.seed));
  try {
    if (fs::is_directory(target)) return target;
    fs::create_directories(cache);
    remove_leftovers(target);
    UnfinishedFolder unfinished(target);
    write_images(unfinished.path(), options, images, progress);
    unfinished.rename_to(target);
  } catch (const fs::filesystem_error& error) {
    throw FileError(error.path1().empty() ? target : error.path1(), "cannot be written: " + error.code().message());
  }
  return target;
}

}  // namespace bramble::engine
