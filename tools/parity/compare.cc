#include "tools/parity/compare.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace bramble::parity {
namespace {

// Of golden/README.md.
constexpr double kLeastTolerance = 2e-4;
constexpr double kNoiseFactor = 20;
constexpr double kLeastLoss = 1e-3;
constexpr double kGradientFloor = 1e-6;  // of the whole gradient's norm
constexpr double kLeastNorm = 1e-30;

double tolerance_for(double noise) { return std::max(kNoiseFactor * noise, kLeastTolerance); }

// NaN wins, unlike in std::max.
double larger(double a, double b) { return std::isnan(a) || a > b ? a : b; }

double probe_distance(const engine::Probe& computed, const engine::Probe& expected, double scale) {
  double worst = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) worst = larger(std::abs(computed[i] - expected[i]), worst);
  return worst / scale;
}

double whole_norm(const Named<engine::Probe>& probes) {
  double squares = 0;
  for (const auto& [name, probe] : probes) squares += probe[0] * probe[0];
  return std::sqrt(squares);
}

template <typename NoiseOf>
Kind compare_probes(std::string kind_name, const Named<engine::Probe>& expected, const Named<engine::Probe>& computed,
                    double floor, NoiseOf noise_of) {
  Kind kind{std::move(kind_name), {}, {}};
  for (const auto& [name, probe] : expected) {
    const engine::Probe* ours = find(computed, name);
    if (ours == nullptr) {
      kind.faults.push_back(name + " is missing");
      continue;
    }
    const double scale = std::max({probe[0], floor, kLeastNorm});
    kind.deviations.push_back({name, probe_distance(*ours, probe, scale), tolerance_for(noise_of(name))});
  }
  return kind;
}

Kind compare_logits(const std::string& name, const Logits& expected, const Logits& computed, double noise) {
  const double scale = std::max(expected.probe[0], kLeastNorm);
  double first = 0;
  for (std::size_t i = 0; i < expected.first.size(); ++i) {
    first = larger(std::abs(computed.first.at(i) - expected.first[i]) / scale, first);
  }
  return {name,
          {{"probe", probe_distance(computed.probe, expected.probe, scale), tolerance_for(noise)},
           {"first", first, tolerance_for(noise)}},
          {}};
}

Kind compare_losses(const std::string& name, const std::vector<double>& expected, const std::vector<double>& computed,
                    const std::vector<double>& noise) {
  Kind kind{name, {}, {}};
  for (std::size_t step = 0; step < expected.size(); ++step) {
    const double distance =
        std::abs(computed.at(step) - expected[step]) / std::max(std::abs(expected[step]), kLeastLoss);
    kind.deviations.push_back({"step " + std::to_string(step), distance, tolerance_for(noise[step])});
  }
  return kind;
}

// Names, order and shapes. The first difference says enough: those after it follow from it.
Kind compare_shapes(const std::string& name, Named<graph::Shape> expected, Named<graph::Shape> computed) {
  Kind kind{name, {}, {}};
  const auto drop_derived = [](Named<graph::Shape>& shapes) {
    std::erase_if(shapes, [](const auto& entry) { return is_derived_buffer(entry.first); });
  };
  drop_derived(expected);
  drop_derived(computed);
  const auto describe = [](const Named<graph::Shape>& shapes, std::size_t i) {
    return i < shapes.size() ? shapes[i].first + " " + graph::to_string(shapes[i].second) : std::string("none");
  };
  for (std::size_t i = 0; i < std::max(expected.size(), computed.size()); ++i) {
    if (i < expected.size() && i < computed.size() && expected[i] == computed[i]) {
      kind.deviations.push_back({expected[i].first, 0, 0});
      continue;
    }
    kind.faults.push_back("number " + std::to_string(i) + " is " + describe(computed, i) + ", should be " +
                          describe(expected, i));
    break;
  }
  return kind;
}

Kind compare_head_keys(const std::vector<std::string>& expected, const std::vector<std::string>& computed) {
  Kind kind{"head_keys", {}, {}};
  if (expected != computed) kind.faults.push_back("the registry has others");
  for (const std::string& key : expected) kind.deviations.push_back({key, 0, 0});
  return kind;
}

}  // namespace

bool Kind::inside() const {
  return faults.empty() &&
         std::all_of(deviations.begin(), deviations.end(), [](const Deviation& one) { return one.inside(); });
}

const Deviation* Kind::worst() const {
  const auto share = [](const Deviation& one) {
    if (std::isnan(one.value)) return std::numeric_limits<double>::infinity();
    return one.tolerance > 0 ? one.value / one.tolerance : one.value;
  };
  const auto found = std::max_element(deviations.begin(), deviations.end(),
                                      [&](const Deviation& a, const Deviation& b) { return share(a) < share(b); });
  return found == deviations.end() ? nullptr : &*found;
}

std::vector<Kind> compare(const Golden& golden, const Values& computed) {
  const auto& [config, expected, noise] = golden;
  const auto of = [](const Named<double>& list) { return [&](const std::string& name) { return *find(list, name); }; };
  const auto none = [](const std::string&) { return 0.0; };
  return {
      compare_head_keys(expected.head_keys, computed.head_keys),
      compare_shapes("shapes", expected.shapes, computed.shapes),
      compare_shapes("buffer_shapes", expected.buffer_shapes, computed.buffer_shapes),
      compare_logits("eval_logits", expected.eval_logits, computed.eval_logits, noise.eval_logits),
      compare_logits("train_logits", expected.train_logits, computed.train_logits, noise.train_logits),
      compare_probes("grads", expected.grads, computed.grads, kGradientFloor * whole_norm(expected.grads),
                     of(noise.grads)),
      compare_probes("buffers", expected.buffers, computed.buffers, 0, of(noise.buffers)),
      compare_losses("losses", expected.losses, computed.losses, noise.losses),
      compare_probes("params_after", expected.params_after, computed.params_after, 0, none),
      compare_losses("head_losses", expected.head_losses, computed.head_losses, noise.head_losses),
      compare_probes("head_params_after", expected.head_params_after, computed.head_params_after, 0, none),
  };
}

Noise measured_noise(const Golden& golden, const Values& computed) {
  const std::vector<Kind> kinds = compare(golden, computed);
  const auto kind = [&](const std::string& name) -> const std::vector<Deviation>& {
    return std::find_if(kinds.begin(), kinds.end(), [&](const Kind& one) { return one.name == name; })->deviations;
  };
  const auto named = [&](const std::string& name) {
    Named<double> list;
    for (const Deviation& one : kind(name)) list.emplace_back(one.name, one.value);
    return list;
  };
  const auto plain = [&](const std::string& name) {
    std::vector<double> list;
    for (const Deviation& one : kind(name)) list.push_back(one.value);
    return list;
  };
  return {kind("eval_logits").front().value,
          kind("train_logits").front().value,
          plain("losses"),
          plain("head_losses"),
          named("grads"),
          named("buffers")};
}

}  // namespace bramble::parity
