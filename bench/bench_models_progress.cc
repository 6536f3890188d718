#include "bench/bench_models_progress.h"

#include <unistd.h>

#include <cstdio>
#include <utility>

namespace bramble::bench {
namespace {

bool on_terminal() {
  static const bool terminal = isatty(STDERR_FILENO) == 1;
  return terminal;
}

constexpr const char* kEraseLine = "\r\033[K";

}  // namespace

Progress::Progress(std::string title) : title_(std::move(title)) { update(""); }

Progress::~Progress() {
  if (open_ && on_terminal()) std::fputc('\n', stderr);
}

void Progress::set_plan(const std::string& plan) {
  title_ += "  " + plan;
  update("");
}

void Progress::update(const std::string& state) {
  if (on_terminal()) std::fprintf(stderr, "%s%s  %s", kEraseLine, title_.c_str(), state.c_str());
}

void Progress::finish(const std::string& result) {
  std::fprintf(stderr, "%s%s  %s\n", on_terminal() ? kEraseLine : "", title_.c_str(), result.c_str());
  open_ = false;
}

void print_notice(const std::string& text) {
  std::fprintf(stderr, "%sbramble: %s\n", on_terminal() ? kEraseLine : "", text.c_str());
}

}  // namespace bramble::bench
