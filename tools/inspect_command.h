// `bramble inspect`: what a safetensors file holds.
#pragma once

#include <filesystem>

namespace bramble::tools {

/// Metadata, tensors with shape, dtype, mean and deviation, and what they amount to. Returns the exit code.
int inspect_checkpoint(const std::filesystem::path& path);

}  // namespace bramble::tools
