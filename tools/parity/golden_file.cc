#include "tools/parity/golden_file.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/data/file.h"

namespace bramble::parity {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kMaxExtent = 65536;

// A place in the document that knows its name, so that every complaint can say where.
class Place {
 public:
  Place(const Json& json, const std::filesystem::path& path, std::string name)
      : json_(json), path_(path), name_(std::move(name)) {}

  [[noreturn]] void fail(const std::string& reason) const {
    throw engine::FileError(path_, (name_.empty() ? "the golden" : "\"" + name_ + "\"") + " " + reason);
  }

  Place operator[](const std::string& key) const {
    const std::string name = name_.empty() ? key : name_ + "." + key;
    if (!json_.is_object()) fail("is not an object");
    const auto found = json_.find(key);
    if (found == json_.end()) throw engine::FileError(path_, "incomplete golden: \"" + name + "\" is missing");
    return {*found, path_, name};
  }

  std::string text() const {
    if (!json_.is_string()) fail("is not a string");
    return json_.get<std::string>();
  }
  double number() const {
    if (!json_.is_number() || !std::isfinite(json_.get<double>())) fail("is not a finite number");
    return json_.get<double>();
  }
  std::int64_t integer(std::int64_t least, std::int64_t most) const {
    if (!json_.is_number_integer() || json_.get<std::int64_t>() < least || json_.get<std::int64_t>() > most) {
      fail("is not an integer from " + std::to_string(least) + " to " + std::to_string(most));
    }
    return json_.get<std::int64_t>();
  }
  std::uint64_t seed() const {
    if (!json_.is_number_unsigned()) fail("is not a seed");
    return json_.get<std::uint64_t>();
  }

  template <typename Read>
  auto list(Read read) const {
    std::vector<decltype(read(*this))> values;
    if (!json_.is_array()) fail("is not a list");
    for (const Json& element : json_) values.push_back(read(Place(element, path_, name_)));
    return values;
  }
  template <typename Read>
  auto named(Read read) const {
    Named<decltype(read(*this))> values;
    if (!json_.is_object()) fail("is not an object");
    for (const auto& [key, value] : json_.items())
      values.emplace_back(key, read(Place(value, path_, name_ + "." + key)));
    return values;
  }

 private:
  const Json& json_;
  const std::filesystem::path& path_;
  std::string name_;
};

std::string as_text(const Place& place) { return place.text(); }
double as_number(const Place& place) { return place.number(); }

graph::Shape as_shape(const Place& place) {
  return place.list([](const Place& extent) { return extent.integer(1, std::int64_t{1} << 32); });
}

std::vector<double> as_numbers(const Place& place, std::size_t count) {
  std::vector<double> values = place.list(as_number);
  if (values.size() != count) {
    place.fail("has " + std::to_string(values.size()) + " values instead of " + std::to_string(count));
  }
  return values;
}

engine::Probe as_probe(const Place& place) {
  const std::vector<double> values = as_numbers(place, 3);
  return {values[0], values[1], values[2]};
}

Logits as_logits(const Place& place, const Config& config) {
  return {as_numbers(place["first"], static_cast<std::size_t>(std::min<std::int64_t>(8, config.classes))),
          as_probe(place["probe"])};
}

Config read_config(const Place& root) {
  return {root["model"].text(),
          root["timm"].text(),
          root["seed"].seed(),
          root["batch"].integer(1, kMaxExtent),
          root["size"].integer(1, kMaxExtent),
          root["classes"].integer(1, kMaxExtent),
          root["head_keys"].list(as_text)};
}

Values read_values(const Place& root, const Config& config) {
  Values values;
  values.head_keys = config.head_keys;
  values.eval_logits = as_logits(root["eval_logits"], config);
  values.train_logits = as_logits(root["train_logits"], config);
  values.losses = as_numbers(root["losses"], 4);
  values.head_losses = as_numbers(root["head_losses"], 3);
  values.grads = root["grads"].named(as_probe);
  values.buffers = root["buffers"].named(as_probe);
  values.params_after = root["params_after"].named(as_probe);
  values.head_params_after = root["head_params_after"].named(as_probe);
  values.shapes = root["shapes"].named(as_shape);
  values.buffer_shapes = root["buffer_shapes"].named(as_shape);
  return values;
}

Noise read_noise(const Place& noise) {
  return {noise["eval_logits"].number(),       noise["train_logits"].number(),  as_numbers(noise["losses"], 4),
          as_numbers(noise["head_losses"], 3), noise["grads"].named(as_number), noise["buffers"].named(as_number)};
}

// Every tensor that the lists promise has its values.
void check_complete(const Golden& golden, const Place& root) {
  const std::vector<std::string> no_grad = root["no_grad"].list(as_text);
  const Values& values = golden.values;
  for (const auto& [name, shape] : values.shapes) {
    if (std::find(no_grad.begin(), no_grad.end(), name) == no_grad.end()) root["grads"][name];
  }
  for (const auto& [name, shape] : values.buffer_shapes) {
    if (name.ends_with("running_mean") || name.ends_with("running_var")) root["buffers"][name];
  }
  for (const std::string& key : golden.config.head_keys) {
    root["shapes"][key];
    root["params_after"][key];
    root["head_params_after"][key];
  }
  for (const auto& [name, probe] : values.grads) root["fp32_noise"]["grads"][name];
  for (const auto& [name, probe] : values.buffers) root["fp32_noise"]["buffers"][name];
}

template <typename T>
Json object_of(const Named<T>& list) {
  Json object = Json::object();
  for (const auto& [name, value] : list) object[name] = value;
  return object;
}

Json object_of(const Logits& logits) { return {{"first", logits.first}, {"probe", logits.probe}}; }

}  // namespace

Golden read_golden(const std::filesystem::path& path) {
  const std::string text = engine::read_text(path);
  Json json;
  try {
    json = Json::parse(text);
  } catch (const Json::exception& error) {
    throw engine::FileError(path, std::string("malformed golden: ") + error.what());
  }
  const Place root(json, path, "");
  Golden golden;
  golden.config = read_config(root);
  if (root["train_output_kind"].text() != "tensor")
    root["train_output_kind"].fail("is not supported: only \"tensor\" is");
  golden.values = read_values(root, golden.config);
  golden.noise = read_noise(root["fp32_noise"]);
  check_complete(golden, root);
  return golden;
}

std::string to_json(const Golden& golden) {
  const auto& [config, values, noise] = golden;
  std::vector<std::string> no_grad;
  for (const auto& [name, shape] : values.shapes) {
    if (find(values.grads, name) == nullptr) no_grad.push_back(name);
  }
  Json json = {{"model", config.model},        {"timm", config.timm}, {"seed", config.seed},
               {"batch", config.batch},        {"size", config.size}, {"classes", config.classes},
               {"head_keys", config.head_keys}};
  json["eval_logits"] = object_of(values.eval_logits);
  json["train_output_kind"] = "tensor";
  json["train_logits"] = object_of(values.train_logits);
  json["grads"] = object_of(values.grads);
  json["no_grad"] = no_grad;
  json["buffers"] = object_of(values.buffers);
  json["losses"] = values.losses;
  json["params_after"] = object_of(values.params_after);
  json["head_losses"] = values.head_losses;
  json["head_params_after"] = object_of(values.head_params_after);
  json["shapes"] = object_of(values.shapes);
  json["buffer_shapes"] = object_of(values.buffer_shapes);
  json["fp32_noise"] = {{"grads", object_of(noise.grads)},  {"buffers", object_of(noise.buffers)},
                        {"losses", noise.losses},           {"head_losses", noise.head_losses},
                        {"eval_logits", noise.eval_logits}, {"train_logits", noise.train_logits}};
  return json.dump(0) + '\n';
}

bool is_derived_buffer(const std::string& buffer) {
  constexpr std::string_view kDerived[] = {"num_batches_tracked", "relative_position_index", "attention_bias_idxs",
                                           "attn_mask", "relative_coords_table", "relative_bias", "height_lookup",
                                           "width_lookup"};
  return std::ranges::any_of(kDerived, [&](std::string_view name) { return buffer.ends_with(name); });
}

}  // namespace bramble::parity
