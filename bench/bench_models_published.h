// The published PyTorch figures that ours are held against.
#pragma once

#include <optional>
#include <string_view>

#include "bench/bench_models_machine.h"
#include "bench/bench_models_options.h"

namespace bramble::bench {

/// Seconds a batch on that board; nothing where none were published.
std::optional<double> published_seconds(std::string_view model, Board board, Task task);

/// Whether the options are those of the published figures, so that the two may be compared.
bool is_published_protocol(const Options& options);

}  // namespace bramble::bench
