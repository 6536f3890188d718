// The benchmark as a page: seconds a batch as bars, and what accuracy they buy.
#pragma once

#include <string>
#include <vector>

#include "bench/bench_models_rows.h"

namespace bramble::bench {

/// Beside the rows, PyTorch's published seconds on a Raspberry Pi 5: in the bars where a row follows their protocol, in the
/// scatter of top-1 against seconds all there are.
std::string to_html(const std::vector<Row>& rows);

}  // namespace bramble::bench
