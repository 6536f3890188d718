// Columns in step, for a person to read.
#pragma once

#include <string>
#include <vector>

namespace bramble::bench {

/// One line a row, the first two columns to the left, the others to the right. All rows have as many columns.
std::string text_table(const std::vector<std::vector<std::string>>& rows);

}  // namespace bramble::bench
