#include "bench/bench_models_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/data/file.h"

namespace bramble::bench {
namespace {

// 15 MB here and some 40 MB of text, as much as the viewers like: 70 steps of a ResNet-50 on four threads.
constexpr std::size_t kMaxEvents = std::size_t{1} << 18;

std::string in_quotes(const std::string& text) { return nlohmann::json(text).dump(); }

std::string metadata(const char* what, std::size_t process, int thread, const std::string& name) {
  return fmt::format(R"({{"ph":"M","name":"{}","pid":{},"tid":{},"args":{{"name":{}}}}})", what, process, thread,
                     in_quotes(name));
}

double microseconds(std::int64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e3; }

}  // namespace

Trace::Trace(std::filesystem::path path) : path_(std::move(path)), events_left_(kMaxEvents) {
  if (wanted()) engine::check_writable(path_);
}

void Trace::begin_run(const std::string& title, const engine::Program& program, const engine::StepRecord& record,
                      int steps) {
  Run& run = runs_.emplace_back();
  run.title = title;
  run.threads = record.threads;
  for (const engine::PhaseRecord& phase : record.phases) {
    const graph::Node& node = program.graph().nodes()[phase.node];
    run.phases.push_back({node.name, std::string(node.op->name()), phase.index, phase.task_count});
    run.events_a_step += std::min(phase.task_count, static_cast<std::size_t>(record.threads));
  }
  run.events.reserve(std::min(events_left_, run.events_a_step * static_cast<std::size_t>(steps)));
  run.by_thread.resize(static_cast<std::size_t>(record.threads));
}

void Trace::add(const engine::StepRecord& record) {
  Run& run = runs_.back();
  if (left_out_ > 0 || run.events_a_step > events_left_) {
    ++left_out_;
    return;
  }
  if (start_ < 0) start_ = record.begin;
  const std::size_t before = run.events.size();
  for (std::size_t p = 0; p < record.phases.size(); ++p) {
    std::fill(run.by_thread.begin(), run.by_thread.end(), Event{});
    const engine::PhaseRecord& phase = record.phases[p];
    for (std::size_t i = 0; i < phase.task_count; ++i) {
      const engine::TaskTime& task = record.tasks[phase.first_task + i];
      Event& event = run.by_thread[static_cast<std::size_t>(task.thread)];
      if (event.tasks == 0) event = {p, task.begin, task.end, 0, i, i, task.thread};
      ++event.tasks;
      event.begin = std::min(event.begin, task.begin);
      event.end = std::max(event.end, task.end);
      event.last = i;
    }
    for (const Event& event : run.by_thread)
      if (event.tasks > 0) run.events.push_back(event);
  }
  events_left_ -= run.events.size() - before;
}

std::string Trace::event_text(const Run& run, std::size_t process, const Event& event) const {
  const Phase& phase = run.phases[event.phase];
  return fmt::format(R"({{"ph":"X","name":{},"cat":{},"pid":{},"tid":{},"ts":{:.3f},"dur":{:.3f},)"
                     R"("args":{{"phase":{},"tasks":{},"of":{},"first":{},"last":{}}}}})",
                     in_quotes(phase.layer), in_quotes(phase.op), process, event.thread,
                     microseconds(event.begin - start_), microseconds(event.end - event.begin), phase.index,
                     event.tasks, phase.tasks, event.first, event.last);
}

int Trace::save() const {
  if (!wanted()) return 0;
  std::string text = "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[";
  const char* separator = "\n";
  const auto append = [&](const std::string& event) {
    text += separator;
    text += event;
    separator = ",\n";
  };
  for (std::size_t process = 0; process < runs_.size(); ++process) {
    const Run& run = runs_[process];
    append(metadata("process_name", process, 0, run.title));
    for (int thread = 0; thread < run.threads; ++thread)
      append(metadata("thread_name", process, thread,
                      thread == 0 ? "thread 0 (caller)" : fmt::format("thread {}", thread)));
    for (const Event& event : run.events) append(event_text(run, process, event));
  }
  text += "\n]}\n";
  engine::write_atomically(path_, text);
  return left_out_;
}

}  // namespace bramble::bench
