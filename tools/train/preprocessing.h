// How a run's pictures become inputs: the model's own way, unless options say otherwise, which is kept with the model;
// and how they are changed at random for training.
#pragma once

#include <map>
#include <string>

#include "engine/data/augment.h"
#include "tools/train/options.h"

namespace bramble::train {

/// As the model's pretrained parameters expect it. Throws models::UnknownModel.
engine::Preprocessing own_preprocessing(const std::string& model);

/// The model's with what --mean, --std, --crop-pct and --interpolation say instead. Throws cli::UsageError.
engine::Preprocessing preprocessing_of(const Options& options);

/// What --augment and its companions say. Throws cli::UsageError.
engine::AugmentOptions augmentation_of(const Options& options);

/// Into a model file's metadata, and from there; the model's own where a file says nothing. Throws std::exception for
/// what is malformed.
void add_to(std::map<std::string, std::string>& metadata, const engine::Preprocessing& preprocessing);
engine::Preprocessing preprocessing_from(const std::map<std::string, std::string>& metadata, const std::string& model);

}  // namespace bramble::train
