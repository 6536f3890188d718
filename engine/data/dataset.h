// Labelled pictures that are decoded one by one, wherever they lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/data/file.h"
#include "engine/data/image_decoder.h"

namespace bramble::engine {

/// The data as a whole cannot be reached any more: a stick that was pulled, a folder that was moved.
class DataGone : public FileError {
 public:
  using FileError::FileError;
};

/// Immutable, so that threads may share it.
class Dataset {
 public:
  virtual ~Dataset() = default;

  virtual const std::vector<std::string>& class_names() const = 0;
  virtual std::size_t size() const = 0;
  virtual std::int32_t label(std::size_t sample) const = 0;  ///< index into class_names()
  /// What reports call a sample: its path, or its file and its number there.
  virtual std::string name(std::size_t sample) const = 0;
  /// Called from several threads, each with a decoder of its own. Throws FileError.
  virtual void decode(std::size_t sample, ImageDecoder& decoder, Image& image) const = 0;
  /// Called where decode() failed: throws DataGone if more than this sample has become unreadable.
  virtual void check_present(std::size_t sample) const = 0;
};

using DatasetPtr = std::shared_ptr<const Dataset>;

/// Some of another dataset's samples, in an order of their own, with labels into other classes.
class DatasetView : public Dataset {
 public:
  /// `labels` holds what each of `of`'s labels becomes, an index into `classes`.
  DatasetView(DatasetPtr of, std::vector<std::size_t> samples, std::vector<std::string> classes,
              std::vector<std::int32_t> labels);
  /// With `of`'s own classes.
  DatasetView(DatasetPtr of, std::vector<std::size_t> samples);

  const std::vector<std::string>& class_names() const override { return classes_; }
  std::size_t size() const override { return samples_.size(); }
  std::int32_t label(std::size_t sample) const override;
  std::string name(std::size_t sample) const override { return of_->name(samples_[sample]); }
  void decode(std::size_t sample, ImageDecoder& decoder, Image& image) const override;
  void check_present(std::size_t sample) const override { of_->check_present(samples_[sample]); }

 private:
  DatasetPtr of_;
  std::vector<std::size_t> samples_;
  std::vector<std::string> classes_;
  std::vector<std::int32_t> labels_;
};

/// Data that comes divided.
struct TrainAndTest {
  DatasetPtr train;
  DatasetPtr test;  ///< nullptr if there is none
};

}  // namespace bramble::engine
