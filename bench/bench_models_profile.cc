#include "bench/bench_models_profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <numeric>

#include "bench/text_table.h"

namespace bramble::bench {
namespace {

constexpr int kBoardCores = 4;
// Below it an op's balance is noise, and does not matter.
constexpr double kBalanceFromMilliseconds = 1;

double milliseconds(std::int64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e6; }

std::string ratio_or_dash(double numerator, double denominator) {
  return denominator > 0 ? fmt::format("{:.2f}", numerator / denominator) : "-";
}

}  // namespace

std::int64_t dealt_time(std::span<const std::int64_t> tasks, int cores) {
  std::vector<std::int64_t> free_at(static_cast<std::size_t>(cores), 0);
  for (const std::int64_t task : tasks) *std::min_element(free_at.begin(), free_at.end()) += task;
  return *std::max_element(free_at.begin(), free_at.end());
}

Profile::NodeTimes& Profile::NodeTimes::operator+=(const NodeTimes& other) {
  work.flops += other.work.flops;
  work.bytes += other.work.bytes;
  count += other.count;
  wall += other.wall;
  busiest += other.busiest;
  busy += other.busy;
  dealt += other.dealt;
  shortest_tasks += other.shortest_tasks;
  return *this;
}

Profile::Profile(const engine::Program& program, const engine::StepRecord& record)
    : program_(program),
      phases_(record.phases),
      shortest_(record.tasks.size(), std::numeric_limits<std::int64_t>::max()),
      busy_(static_cast<std::size_t>(record.threads)) {
  const auto& nodes = program.graph().nodes();
  for (std::size_t i = 0; i < nodes.size(); ++i)
    nodes_.push_back({.op = std::string(nodes[i].op->name()), .layer = nodes[i].name, .work = program.work(i)});
  for (const engine::PhaseRecord& phase : phases_) nodes_[phase.node].count = 1;
}

void Profile::add(const engine::StepRecord& record, double seconds) {
  ++steps_;
  seconds_ += seconds;
  inside_ += record.end - record.begin;
  std::int64_t reached = record.begin;
  for (const engine::PhaseRecord& phase : record.phases) {
    NodeTimes& node = nodes_[phase.node];
    // Contiguous, so that the nodes' times sum to the step's.
    node.wall += phase.end - reached;
    reached = phase.end;
    std::fill(busy_.begin(), busy_.end(), 0);
    for (std::size_t i = phase.first_task; i < phase.first_task + phase.task_count; ++i) {
      const engine::TaskTime& task = record.tasks[i];
      busy_[static_cast<std::size_t>(task.thread)] += task.duration();
      shortest_[i] = std::min(shortest_[i], task.duration());
    }
    node.busiest += *std::max_element(busy_.begin(), busy_.end());
    node.busy += std::accumulate(busy_.begin(), busy_.end(), std::int64_t{0});
  }
}

std::vector<Profile::NodeTimes> Profile::nodes() const {
  std::vector<NodeTimes> nodes = nodes_;
  for (const engine::PhaseRecord& phase : phases_) {
    const std::span<const std::int64_t> tasks(shortest_.data() + phase.first_task, phase.task_count);
    nodes[phase.node].dealt += static_cast<double>(dealt_time(tasks, kBoardCores));
    nodes[phase.node].shortest_tasks += std::accumulate(tasks.begin(), tasks.end(), 0.0);
  }
  std::erase_if(nodes, [](const NodeTimes& node) { return node.count == 0; });
  return nodes;
}

std::vector<std::string> Profile::line(const NodeTimes& node, Board board) const {
  const double each = milliseconds(node.wall) / steps_, seconds = each / 1e3;
  const double total = seconds_ / steps_;
  const auto limit = fp32_limit(board, program_.threads());
  const double roofline = limit ? std::max(node.work.flops / *limit, node.work.bytes / kPi5BytesPerSecond) : 0;
  const bool balanced = each >= kBalanceFromMilliseconds;
  const double threads = program_.threads();
  return {node.op,
          node.layer,
          fmt::format("{:.3f}", each),
          fmt::format("{:.2f}", 100 * seconds / total),
          node.work.flops > 0 ? fmt::format("{:.1f}", node.work.flops / seconds / 1e9) : "-",
          fmt::format("{:.1f}", node.work.bytes / seconds / 1e9),
          limit ? fmt::format("{:.0f}", 100 * roofline / seconds) : "-",
          balanced ? ratio_or_dash(static_cast<double>(node.busiest) * threads, static_cast<double>(node.busy)) : "-",
          balanced ? ratio_or_dash(node.dealt * kBoardCores, node.shortest_tasks) : "-"};
}

std::string Profile::report(const std::string& title, Board board) const {
  std::vector<NodeTimes> nodes = this->nodes();
  const auto longer = [](const NodeTimes& a, const NodeTimes& b) { return a.wall > b.wall; };
  std::stable_sort(nodes.begin(), nodes.end(), longer);
  std::map<std::string, NodeTimes> by_op;
  for (const NodeTimes& node : nodes) by_op.try_emplace(node.op, NodeTimes{.op = node.op}).first->second += node;
  std::vector<NodeTimes> ops;
  for (auto& [name, op] : by_op) {
    op.layer = fmt::format("{} node{}", op.count, op.count == 1 ? "" : "s");
    ops.push_back(op);
  }
  std::stable_sort(ops.begin(), ops.end(), longer);

  const std::vector<std::string> heading = {"op",   "layer",         "ms",       "% of step", "GFLOP/s",
                                            "GB/s", "% of roofline", "max/mean", "dealt to 4"};
  std::vector<std::vector<std::string>> op_lines = {heading}, node_lines = {heading};
  for (const NodeTimes& op : ops) op_lines.push_back(line(op, board));
  for (const NodeTimes& node : nodes) node_lines.push_back(line(node, board));
  const double total = 1e3 * seconds_ / steps_, waiting = total - milliseconds(inside_) / steps_;
  op_lines.push_back({"(images)", "waiting for them", fmt::format("{:.3f}", waiting),
                      fmt::format("{:.2f}", 100 * waiting / total), "-", "-", "-", "-", "-"});
  return fmt::format(
      "\nprofile of {}: {:.3f} ms a step, mean of {}, {} thread{}\n\n{}\n{}\n"
      "GB/s: every tensor of a node once. {}\n"
      "max/mean: the busiest thread's time over the threads' mean, phase by phase, for ops of 1 ms or more.\n"
      "dealt to 4: the same for four equal cores, computed from each task's shortest time in these steps.\n",
      title, total, steps_, program_.threads(), program_.threads() == 1 ? "" : "s", text_table(op_lines),
      text_table(node_lines),
      fp32_limit(board, 1) ? "Roofline: a Pi 5's, 38.4 GFLOP/s a core and 11 GB/s, whichever takes longer."
                           : "No roofline: it is known for a Raspberry Pi 5 only.");
}

}  // namespace bramble::bench
