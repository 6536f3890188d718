// Scalars for TensorBoard: an event file, records of tensorflow.Event (tensorflow/core/util/event.proto) in TFRecord's
// framing.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bramble::train {

/// CRC-32C (Castagnoli), as TFRecord masks it.
std::uint32_t masked_crc32c(std::string_view bytes);

class TensorBoardLog {
 public:
  /// A new file in `folder`; TensorBoard joins it to those of earlier sessions and, as `first_step` says, forgets what
  /// they wrote of later steps. Throws engine::FileError.
  TensorBoardLog(const std::filesystem::path& folder, std::int64_t first_step);
  ~TensorBoardLog();
  TensorBoardLog(const TensorBoardLog&) = delete;
  TensorBoardLog& operator=(const TensorBoardLog&) = delete;

  using Scalars = std::vector<std::pair<std::string, double>>;
  /// Flushed when this returns. Throws engine::FileError.
  void add(std::int64_t step, const Scalars& scalars);

 private:
  void write(const std::string& event);

  std::filesystem::path path_;
  std::FILE* file_ = nullptr;
};

}  // namespace bramble::train
