#include "tools/train/options.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/data/file.h"
#include "tools/cli/program.h"
#include "tools/train/preprocessing.h"

namespace bramble::train {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// Calls take(name, field, description, check) for every option that a configuration file may hold.
template <class Take>
void for_each_setting(Options& o, Take&& take) {
  const CLI::Validator positive = CLI::Range(std::int64_t{1}, std::int64_t{1} << 40);
  const CLI::Validator fraction = CLI::Range(0.0, 0.99999999);
  const CLI::Validator not_negative = CLI::Range(0.0, 1e30);
  take("model", o.model, "the model to train; `bramble models` lists them", CLI::Validator());
  take("data", o.data, "folder with train/CLASS and val/CLASS, or with CLASS alone; or CIFAR's or MNIST's files",
       CLI::Validator());
  take("init", o.init, "safetensors file to begin from, with timm's names; without it, timm's initialisation",
       CLI::Validator());
  take("head-only", o.head_only, "train the classifier alone", CLI::Validator());
  take("trainable", o.trainable, "train the parameters that match one of these globs", CLI::Validator());
  take("epochs", o.epochs, "how often each image is seen", positive);
  take("steps", o.steps, "end after so many batches instead of whole epochs", positive);
  take("batch", o.batch, "images a step", positive);
  take("size", o.size, "height and width that images are brought to", positive);
  take("val-split", o.val_split, "share of each class kept for evaluation where there is no val folder", fraction);
  take("augment", o.augment,
       "none: as in evaluation; basic: random crops and flips (small pictures of --size, up to 64, are shifted by up "
       "to 4 "
       "pixels instead of cropped); rand: RandAugment as well, timm's rand-m9-mstd0.5-inc1",
       CLI::IsMember({"none", "basic", "rand"}));
  take("smallest-crop", o.smallest_crop, "least share of an image's area that a random crop keeps",
       CLI::Range(1e-6, 1.0));
  take("flip", o.flip, "share of the images that --augment mirrors; 0 where left and right matter, as for digits",
       CLI::Range(0.0, 1.0));
  take("color-jitter", o.color_jitter,
       "brightness, contrast and saturation change by up to this share, as 0.4 or 0.4,0.4,0.4; a fourth number turns "
       "the hue",
       CLI::Validator());
  take("erase", o.erase, "share of the images of which a random box becomes noise (random erasing)",
       CLI::Range(0.0, 1.0));
  take("mixup", o.mixup, "alpha of mixup, which blends pairs of images and their labels; 0: none",
       CLI::Range(0.0, 1e6));
  take("mean", o.mean,
       "of red, green, blue, 0 to 1, like 0.5,0.5,0.5; the model's own unless given, as for the next three",
       CLI::Validator());
  take("std", o.deviation, "standard deviation of red, green, blue", CLI::Validator());
  take("crop-pct", o.crop_pct, "what the centre crop of evaluation keeps of the short side; 0: the model's own",
       CLI::Range(0.0, 1.0));
  take("interpolation", o.interpolation, "how pictures are resized", CLI::IsMember({"bilinear", "bicubic"}));
  take("optimizer", o.optimizer, "sgd, adamw or lion", CLI::IsMember({"sgd", "adamw", "lion"}));
  take("lr", o.lr, "learning rate", not_negative);
  take("momentum", o.momentum, "SGD's", fraction);
  take("nesterov", o.nesterov, "SGD's momentum in Nesterov's form", CLI::Validator());
  take("weight-decay", o.weight_decay, "of weight matrices; vectors and embeddings have none", not_negative);
  take("schedule", o.schedule, "cosine, step or constant", CLI::IsMember({"cosine", "step", "constant"}));
  take("warmup-epochs", o.warmup_epochs, "in which the learning rate grows", not_negative);
  take("decay-epochs", o.decay_epochs, "step: multiply the rate every so many epochs", CLI::Range(1e-6, 1e9));
  take("decay-rate", o.decay_rate, "step: by this", not_negative);
  take("label-smoothing", o.label_smoothing, "share of the target spread over all classes", fraction);
  take("clip-grad", o.clip_grad, "largest norm of all gradients together; 0: any", not_negative);
  take("accumulate", o.accumulate, "update every so many steps, by the gradients' mean", CLI::Range(1, 1 << 20));
  take("bn", o.bn,
       "BatchNorm's statistics: train, the batch's; or frozen, those of --init, which stay (scale and bias are "
       "trained all the same)",
       CLI::IsMember({"train", "frozen"}));
  take("drop-rate", o.drop_rate, "share of the classifier's inputs dropped at random, as timm's drop_rate", fraction);
  take("drop-path", o.drop_path, "rate of stochastic depth, as timm's drop_path_rate", fraction);
  take("ema", o.ema, "decay of the parameters' moving average, which is then what is evaluated and saved", fraction);
  take("on-nan", o.on_nan, "a step whose loss is NaN or infinite: stop, or skip: go on without it",
       CLI::IsMember({"stop", "skip"}));
  take("seed", o.seed, "of the initialisation, the data's order and the augmentation", CLI::Validator());
  take("threads", o.threads, "computing threads; one for each core unless given", CLI::Range(0, 256));
  take("loader-threads", o.loader_threads, "threads that decode images; results do not depend on them",
       CLI::Range(1, 64));
  take("save-every", o.save_every, "write a checkpoint every so many steps as well", 
       CLI::Range(std::int64_t{0}, std::int64_t{1} << 40));
}

template <class Field>
Json as_json(const Field& field) {
  if constexpr (std::is_same_v<Field, fs::path>)
    return field.string();
  else
    return field;
}

void append_setting(const fs::path& file, const std::string& key, const Json& value, std::vector<std::string>& words) {
  const auto text = [&](const Json& one) {
    if (one.is_string()) return one.get<std::string>();
    if (one.is_number()) return one.dump();
    throw engine::FileError(file, "'" + key + "' is neither text nor a number");
  };
  if (value.is_boolean()) {
    if (value.get<bool>()) words.push_back("--" + key);
  } else if (value.is_array()) {
    for (const Json& one : value) words.push_back("--" + key + "=" + text(one));
  } else {
    words.push_back("--" + key + "=" + text(value));
  }
}

std::vector<std::string> read_config(const fs::path& file) {
  Json json;
  try {
    json = Json::parse(engine::read_text(file), nullptr, true, true);
  } catch (const Json::exception& error) {
    throw engine::FileError(file, std::string("is no valid JSON: ") + error.what());
  }
  if (!json.is_object()) throw engine::FileError(file, "is no JSON object");
  std::vector<std::string> words;
  for (const auto& [key, value] : json.items()) append_setting(file, key, value, words);
  return words;
}

/// The value after or in `name`, the last one if it is there more than once.
std::optional<std::string> value_of(const std::vector<std::string>& arguments, const std::string& name) {
  std::optional<std::string> value;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == name && i + 1 < arguments.size()) value = arguments[i + 1];
    if (arguments[i].starts_with(name + "=")) value = arguments[i].substr(name.size() + 1);
  }
  return value;
}

}  // namespace

void add_options(CLI::App& command, Options& options) {
  for_each_setting(options, [&](const char* name, auto& field, const char* description, const CLI::Validator& check) {
    using Field = std::remove_reference_t<decltype(field)>;
    const std::string flag = std::string("--") + name;
    if constexpr (std::is_same_v<Field, bool>) {
      command.add_flag(flag, field, description);
    } else if constexpr (std::is_same_v<Field, std::vector<std::string>>) {
      command.add_option(flag, field, description)->take_all()->allow_extra_args(false);
    } else {
      command.add_option(flag, field, description)->take_last()->check(check);
    }
  });
  command.add_option("--out", options.out, "folder for checkpoints, metrics and the trained model")->take_last();
  command.add_option("--config", options.config, "JSON file with options by their names; the command line wins");
  command.add_flag("--resume", options.resume,
                   "continue the run in --out, to the same bits as if it had never stopped");
}

std::vector<std::string> expand_config(const std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments.front() != "train") return arguments;
  std::vector<std::string> expanded = {"train"};
  const bool resumes = std::find(arguments.begin(), arguments.end(), "--resume") != arguments.end();
  const auto add = [&](const fs::path& file) {
    const std::vector<std::string> words = read_config(file);
    expanded.insert(expanded.end(), words.begin(), words.end());
  };
  if (resumes) add(fs::path(value_of(arguments, "--out").value_or(Options().out.string())) / "config.json");
  if (const auto file = value_of(arguments, "--config")) add(*file);
  expanded.insert(expanded.end(), arguments.begin() + 1, arguments.end());
  return expanded;
}

std::string to_json(const Options& options) {
  Json json = Json::object();
  Options copy = options;
  for_each_setting(copy, [&](const char* name, auto& field, const char*, const CLI::Validator&) {
    Json value = as_json(field);
    const bool given = value != "" && value != Json::array() && !(value == 0 && name == std::string_view("steps"));
    if (given) json[name] = std::move(value);
  });
  return json.dump(2) + "\n";
}

void check(const Options& options) {
  if (options.model.empty()) throw cli::UsageError("--model is required");
  if (options.data.empty()) throw cli::UsageError("--data is required");
  if (options.head_only && !options.trainable.empty())
    throw cli::UsageError("--head-only and --trainable exclude each other");
  augmentation_of(options);
  if (options.bn == "frozen" && options.init.empty())
    throw cli::UsageError("--bn frozen needs --init: without it there are no statistics to keep");
}

}  // namespace bramble::train
