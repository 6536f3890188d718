// The table that a person reads.
#pragma once

#include <string>
#include <vector>

#include "bench/bench_models_rows.h"

namespace bramble::bench {

std::string report(const std::vector<Row>& rows);

}  // namespace bramble::bench
