// What a run tells of itself: evaluations, the trained model, the report.
#include <fmt/format.h>
#include <sys/resource.h>

#include "engine/data/file.h"
#include "tools/train/report.h"
#include "tools/train/session.h"

namespace bramble::train {

Evaluation Session::evaluate_now() {
  engine::Evaluator evaluator =
      make_evaluator(description_, options_.batch, options_.threads, trainer_.working_memory());
  for (const auto& names : {evaluator.parameter_names(), evaluator.buffer_names()})
    for (const std::string& name : names)
      evaluator.set_value(name, options_.ema > 0 ? trainer_.average(name) : trainer_.value(name));
  // A signal waits for the end: the epoch's result is part of the checkpoint.
  return evaluate(evaluator, data_.val, description_, options_.batch, options_.loader_threads,
                  [this](const std::string& message) { note_skipped(message); });
}

void Session::write_results() {
  // Stopped after the last checkpoint, before its results were written.
  if (!last_evaluation_ && data_.val->size() > 0) last_evaluation_ = evaluate_now();
  const std::filesystem::path model = options_.out / "model.safetensors";
  write_model(model, options_.ema > 0 ? engine::Values::averaged : engine::Values::current);
  fmt::print("the trained model: {}\n", model.string());
  if (state_.best_top1 >= 0)
    fmt::print("the best on the images kept for evaluation ({:.1f} %): {}\n", 100 * state_.best_top1,
               (options_.out / "best.safetensors").string());
  write_report();
  fmt::print("how it went: {}\n", (options_.out / "report.html").string());
}

void Session::write_report() {
  const auto percent = [](double share) { return fmt::format("{:.1f} %", 100 * share); };
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  RunReport report{.title = options_.model + " on " + options_.data.string(),
                   .facts = {},
                   .history = read_history(options_.out / "metrics.jsonl"),
                   .classes = description_.classes,
                   .evaluation = last_evaluation_.value_or(Evaluation()),
                   .worst = {},
                   .times = {},
                   .memory = trainer_.memory(),
                   .process_peak = static_cast<std::size_t>(usage.ru_maxrss) * 1024};
  if (last_evaluation_) {
    report.facts = {{"top-1 at the end", percent(last_evaluation_->top1)},
                    {"best top-1", percent(state_.best_top1)},
                    {"loss", fmt::format("{:.4f}", last_evaluation_->loss)}};
    if (description_.classes.size() > 5)
      report.facts.insert(report.facts.begin() + 1, {"top-5", percent(last_evaluation_->top5)});
    report.worst = make_thumbnails(*data_.val, *last_evaluation_);
  }
  report.facts.insert(report.facts.end(), {{"images to train on", std::to_string(data_.train->size())},
                                           {"to evaluate on", std::to_string(data_.val->size())},
                                           {"classes", std::to_string(description_.classes.size())},
                                           {fmt::format("steps of {}", options_.batch), std::to_string(state_.step)}});
  if (last_step_) report.times = times_by_op(trainer_.program(), *last_step_);
  engine::write_atomically(options_.out / "report.html", to_html(report));
}

}  // namespace bramble::train
