#include "tools/parity/command.h"

#include <fmt/format.h>

#include <map>

#include "engine/data/file.h"
#include "models/registry.h"
#include "tools/cli/program.h"
#include "tools/parity/compare.h"
#include "tools/parity/protocol.h"

namespace bramble::parity {
namespace {

namespace fs = std::filesystem;

struct Job {
  fs::path path;
  Golden golden;
  fs::path dump;  ///< empty: none
};

// All that can be wrong with the files is found before the first is run.
std::vector<Job> read_jobs(const CommandOptions& options) {
  if (!options.dump.empty()) {
    std::error_code error;
    fs::create_directories(options.dump, error);
    if (error) throw engine::FileError(options.dump, "cannot be made: " + error.message());
  }
  std::vector<Job> jobs;
  std::map<fs::path, fs::path> sources;
  for (const fs::path& path : options.files) {
    Job& job = jobs.emplace_back(Job{path, read_golden(path), {}});
    try {
      models::find_model(job.golden.config.model);
    } catch (const models::UnknownModel& error) {
      throw engine::FileError(path, error.what());
    }
    if (options.dump.empty()) continue;
    job.dump = options.dump / path.stem().concat(".json");
    const auto [other, is_new] = sources.emplace(job.dump, path);
    if (!is_new)
      throw cli::UsageError(
          fmt::format("{} and {} would be dumped under one name", other->second.string(), path.string()));
    engine::check_writable(job.dump);
    std::error_code missing;
    if (fs::equivalent(job.dump, path, missing))
      throw cli::UsageError(fmt::format("--dump would overwrite {}", path.string()));
  }
  return jobs;
}

// One line of a file's table. `mark` is empty where all is well.
void print_line(const std::string& kind, const std::string& count, const std::string& deviation,
                const std::string& tolerance, const std::string& mark, const std::string& of) {
  std::string line = fmt::format("  {:<18} {:>6} {:>16} {:>11}  {:<8} {}", kind, count, deviation, tolerance, mark, of);
  line.erase(line.find_last_not_of(' ') + 1);
  fmt::print("{}\n", line);
}

void print_kind(const Kind& kind) {
  const Deviation* worst = kind.worst();
  const std::string count = std::to_string(kind.deviations.size());
  if (worst != nullptr && worst->tolerance > 0) {
    print_line(kind.name, count, fmt::format("{:.2e}", worst->value), fmt::format("{:.1e}", worst->tolerance),
               worst->inside() ? "" : "OUTSIDE", worst->name);
  } else if (kind.faults.empty()) {
    print_line(kind.name, count, "equal", "", "", "");
  }
  for (const std::string& fault : kind.faults) print_line(kind.name, "", "", "", "WRONG", fault);
}

// The first tensor whose bits differ, or an empty text.
std::string first_difference(const RunResult& reference, const RunResult& other) {
  const std::map<std::string, std::uint64_t> bits(reference.bits.begin(), reference.bits.end());
  for (const auto& [name, hash] : other.bits) {
    const auto found = bits.find(name);
    if (found == bits.end() || found->second != hash) return name;
  }
  return "";
}

// With every tensor in memory of its own nothing can be overwritten before it is read: what the plan is held against.
// The plan that keeps the gradients and the one that training uses differ, so both are.
bool check_plan(const Config& config, const RunResult& planned, int threads) {
  const RunResult isolated = run_protocol(config, {threads, engine::MemoryMode::isolated, true});
  const RunResult without_gradients = run_protocol(config, {threads, engine::MemoryMode::planned, false});
  bool same = true;
  for (const auto& [label, run] : {std::pair("plan", &planned), std::pair("plan for training", &without_gradients)}) {
    const std::string difference = first_difference(isolated, *run);
    same = same && difference.empty();
    print_line(label, std::to_string(run->bits.size()), difference.empty() ? "identical bits" : "other bits", "",
               difference.empty() ? "" : "OUTSIDE", difference);
  }
  return same;
}

bool run_job(const Job& job, const CommandOptions& options) {
  const Config& config = job.golden.config;
  fmt::print("{}: {}, batch {}, {} x {}, {} classes\n", job.path.string(), config.model, config.batch, config.size,
             config.size, config.classes);
  std::fflush(stdout);
  const RunResult result = run_protocol(config, {options.threads, engine::MemoryMode::planned, true});
  if (!job.dump.empty()) {
    engine::write_atomically(job.dump, to_json({config, result.values, measured_noise(job.golden, result.values)}));
  }
  print_line("kind", "values", "worst deviation", "tolerance", "", "of");
  bool inside = true;
  for (const Kind& kind : compare(job.golden, result.values)) {
    print_kind(kind);
    inside = inside && kind.inside();
  }
  if (options.check_plan) inside = check_plan(config, result, options.threads) && inside;
  fmt::print("  {}\n", inside ? "pass" : "FAIL");
  std::fflush(stdout);
  return inside;
}

}  // namespace

void add_options(CLI::App& command, CommandOptions& options) {
  command.add_option("files", options.files, "golden files")->required();
  command.add_option("--threads", options.threads, "computing threads; one for each core unless given")
      ->check(CLI::Range(1, 256));
  command.add_option("--dump", options.dump, "folder to write the computed values to, in the golden's own form");
  command.add_flag("--check-plan", options.check_plan,
                   "run again with every tensor in memory of its own, and demand identical bits");
}

int run(const CommandOptions& options) {
  cli::catch_interrupts();
  const std::vector<Job> jobs = read_jobs(options);
  std::size_t passed = 0;
  for (const Job& job : jobs) passed += run_job(job, options) ? 1 : 0;
  fmt::print("{} of {} pass\n", passed, jobs.size());
  return passed == jobs.size() ? 0 : 1;
}

}  // namespace bramble::parity
