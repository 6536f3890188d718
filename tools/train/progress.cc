#include "tools/train/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <string>

namespace bramble::train {
namespace {

constexpr int kBarWidth = 20;

std::string duration(double seconds) {
  const auto whole = static_cast<long>(seconds + 0.5);
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

Progress::Progress(std::int64_t first_step, std::int64_t steps)
    : on_terminal_(isatty(STDERR_FILENO) != 0),
      first_step_(first_step),
      steps_(steps),
      begin_(std::chrono::steady_clock::now()) {}

Progress::~Progress() { clear(); }

void Progress::update(const StepMetrics& m) {
  if (!on_terminal_) return;
  const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  const double left = elapsed / static_cast<double>(m.step - first_step_) * static_cast<double>(steps_ - m.step);
  const auto filled = static_cast<int>(kBarWidth * m.step / steps_);
  const std::string line = fmt::format("[{:#<{}}{:.<{}}] {}/{} loss {:.4f} top-1 {:.1f} % {:.1f} images/s {} left{}",
                                       "", filled, "", kBarWidth - filled, m.step, steps_, m.loss, 100 * m.top1,
                                       m.images_per_s, duration(left), board_.status());
  std::fprintf(stderr, "\r\033[K%s", line.c_str());
  std::fflush(stderr);
  shown_ = true;
}

void Progress::clear() {
  if (shown_) std::fputs("\r\033[K", stderr);
  shown_ = false;
}

}  // namespace bramble::train
