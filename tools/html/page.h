// Self-contained HTML pages: nothing is loaded from elsewhere, readable in light and in dark.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace bramble::html {

/// As text and inside an attribute's double quotes.
std::string escape(std::string_view text);

/// For data: addresses.
std::string base64(std::span<const std::uint8_t> bytes);

/// `title` is escaped, `body` is HTML.
std::string page(std::string_view title, std::string_view body);

}  // namespace bramble::html
