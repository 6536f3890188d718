// A folder of made-up JPEGs, for benchmarks that need no data of their own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

namespace bramble::engine {

struct GeneratedOptions {
  int classes = 1000;
  int images = 1000;  ///< made at least one a class
  int size = 224;
  std::uint64_t seed = 0;
};

/// $XDG_CACHE_HOME/bramble or ~/.cache/bramble. Throws if neither variable is set.
std::filesystem::path cache_folder();

/// An ImageFolder of smooth random pictures in `cache`, written at the first call and found at the next. Its folder
/// gets its name when it is complete, so that a half-written one is never used. `progress(done, total)` is called for
/// each image written; what it throws ends the writing and leaves nothing behind.
std::filesystem::path generated_images(const std::filesystem::path& cache, const GeneratedOptions& options,
                                       const std::function<void(int done, int total)>& progress);

}  // namespace bramble::engine
