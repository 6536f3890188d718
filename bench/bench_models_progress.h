// One line of progress a model and task on standard error: rewritten in place on a terminal, printed when it is
// complete elsewhere.
#pragma once

#include <string>

namespace bramble::bench {

class Progress {
 public:
  explicit Progress(std::string title);
  /// Ends the line where it stands.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Stays in front of every update: "412 MiB planned".
  void set_plan(const std::string& plan);
  /// On a terminal only.
  void update(const std::string& state);
  void finish(const std::string& result);

 private:
  std::string title_;
  bool open_ = true;
};

/// A line of its own, above the progress line.
void print_notice(const std::string& text);

}  // namespace bramble::bench
