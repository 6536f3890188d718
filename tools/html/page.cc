#include "tools/html/page.h"

#include <fmt/format.h>

namespace bramble::html {
namespace {

// Colours that are told apart in both modes and by the colour-blind (Okabe and Ito).
constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --faint: #667079; --line: #d8dde2;
  --c0: #0072b2; --c1: #d55e00; --c2: #009e73; --heat: 0, 114, 178; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171a; --ink: #e6e9ec; --faint: #98a2ab; --line: #353c43;
  --c0: #56b4e9; --c1: #e69f00; --c2: #2fc79a; --heat: 86, 180, 233; } }
body { margin: 0 auto; max-width: 1080px; padding: 24px 20px 60px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 26px; margin: 0 0 4px; overflow-wrap: anywhere; } h2 { font-size: 18px; margin: 36px 0 10px; }
p.note, figcaption, .legend { color: var(--faint); font-size: 13px; margin: 2px 0 8px; }
.row { display: flex; flex-wrap: wrap; gap: 20px 28px; } .row > figure { flex: 1 1 420px; min-width: 0; }
figure { margin: 0; } svg { width: 100%; height: auto; display: block; }
.tiles { display: flex; flex-wrap: wrap; gap: 10px 34px; margin: 18px 0 0; }
.tiles b { display: block; font-size: 24px; font-weight: 600; } .tiles span { color: var(--faint); font-size: 13px; }
svg text { fill: var(--faint); font: 11px system-ui, sans-serif; } svg text.name { fill: var(--ink); font-size: 12px; }
.grid { stroke: var(--line); stroke-width: 1; } .curve { fill: none; stroke-width: 1.8; }
.c0 { stroke: var(--c0); fill: var(--c0); } .c1 { stroke: var(--c1); fill: var(--c1); }
.c2 { stroke: var(--c2); fill: var(--c2); } .curve.c0, .curve.c1, .curve.c2 { fill: none; }
rect.c0, rect.c1, rect.c2 { stroke: none; } circle { fill-opacity: .75; }
.legend i { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin: 0 5px 0 14px; }
.legend i:first-child { margin-left: 0; } i.c0 { background: var(--c0); } i.c1 { background: var(--c1); }
i.c2 { background: var(--c2); }
.tip { display: none; } .point:hover .tip { display: block; } .point:hover circle { fill-opacity: 1; }
svg .tip { fill: var(--ink); font-size: 12px; paint-order: stroke; stroke: var(--paper); stroke-width: 4px;
  pointer-events: none; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: 13px; }
td, th { padding: 4px 9px; text-align: right; border-bottom: 1px solid var(--line); font-weight: normal; }
th { color: var(--faint); } td:first-child, th:first-child { text-align: left; }
.matrix td, .matrix th { border: 1px solid var(--line); text-align: center; min-width: 26px; }
.matrix th.from { text-align: right; } .matrix td.right { font-weight: 600; }
.matrix th.to { writing-mode: vertical-rl; transform: rotate(180deg); text-align: left; padding: 8px 4px; }
.mistakes { display: grid; grid-template-columns: repeat(auto-fill, minmax(128px, 1fr)); gap: 16px; }
.mistakes img { width: 100%; aspect-ratio: 1; border-radius: 6px; display: block; }
.mistakes figcaption { overflow-wrap: anywhere; margin: 5px 0 0; } .mistakes b { color: var(--ink); font-weight: 600; }
)";

}  // namespace

std::string escape(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      case '\'': escaped += "&#39;"; break;
      default: escaped += c;
    }
  }
  return escaped;
}

std::string base64(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = bytes.size() - i;
    const std::uint32_t group = static_cast<std::uint32_t>(bytes[i]) << 16 |
                                (left > 1 ? static_cast<std::uint32_t>(bytes[i + 1]) << 8 : 0U) |
                                (left > 2 ? static_cast<std::uint32_t>(bytes[i + 2]) : 0U);
    for (std::size_t digit = 0; digit < 4; ++digit)
      text += digit <= left ? kDigits[group >> (18 - 6 * digit) & 63U] : '=';
  }
  return text;
}

std::string page(std::string_view title, std::string_view body) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n"
      "<style>{}</style>\n</head>\n<body>\n{}</body>\n</html>\n",
      escape(title), kStyle, body);
}

}  // namespace bramble::html
