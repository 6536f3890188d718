// The optimisers' updates: as passes of their own, and of a weight whose gradient is handed on piece by piece
// (graph/ops/with_update.h).
#pragma once

#include <functional>

#include "engine/bind/bind.h"
#include "kernels/gemm/gemm.h"
#include "kernels/gemm/packed_weight.h"

namespace bramble::engine {

/// Updates elements [begin, end) of the parameter's storage, whose gradients begin at `gradient`.
using ElementUpdate = std::function<void(const Operands&, std::size_t begin, std::size_t end, const float* gradient)>;

/// Where an update's op and inputs are: a node of its own, or behind a gradient's.
class UpdateInputs {
 public:
  explicit UpdateInputs(const BindContext& context) : context_(context) {}

  template <class T>
  const T& op() const {
    return context_.update() ? static_cast<const T&>(*context_.update()) : context_.op<T>();
  }
  /// The position of the update's input `i` among the node's.
  int operator[](int i) const { return context_.update() ? context_.inputs() + i : i; }
  /// The same, -1 if it is absent.
  int optional(int i) const {
    const bool given = context_.update() ? context_.has_update_input(i) : context_.has_input(i);
    return given ? (*this)[i] : -1;
  }

 private:
  const BindContext& context_;
};

/// The same of copies: `count` elements of a parameter and of the optimiser's one state for them, null if it has none.
struct CopiedUpdate {
  int parameter = -1, state = -1;  ///< inputs; state < 0 where there is none
  std::function<void(const Operands&, std::size_t count, const float* gradient, float* parameter, float* state)> run;
};

/// engine/bind/<optimiser>.cc has them; the node is the update's or a gradient's with one.
ElementUpdate update_with_adamw(const BindContext& context);
ElementUpdate update_with_lion(const BindContext& context);
ElementUpdate update_with_sgd(const BindContext& context);
CopiedUpdate copied_update_with_sgd(const BindContext& context);

/// The update as a node of its own, its gradient in memory.
Bound bind_update(const BindContext& context, const ElementUpdate& update);

/// What becomes of a weight's gradient in a node that has an update; false where it has none and writes its output.
class WeightUpdate {
 public:
  explicit WeightUpdate(const BindContext& context);
  explicit operator bool() const { return static_cast<bool>(update_); }

  /// Elements [begin, end) of the storage, whose gradients begin at `gradient`.
  void apply(const Operands& operands, std::int64_t begin, std::int64_t end, const float* gradient) const;

  /// A part of one group's matrix: rows [row_begin, row_end) of each of `taps` equal ranges of rows, and columns from a
  /// multiple of 12 on, to one or to the last.
  struct Block {
    std::int64_t group = 0;
    std::int64_t taps = 1;
    std::int64_t row_begin = 0, row_end = 0;
    std::int64_t col_begin = 0, col_end = 0;

    /// The last panel, if it has less than 12 columns; else none.
    Block narrow_panel() const {
      constexpr std::int64_t kWidth = kernels::kGemmTileCols;
      return {group, taps, row_begin, row_end, col_begin + (col_end - col_begin) / kWidth * kWidth, col_end};
    }

    /// Of its panels.
    std::int64_t floats() const {
      return taps * (row_end - row_begin) * kernels::round_up(col_end - col_begin, kernels::kGemmTileCols);
    }
  };
  /// The gradient of `block` in panels of its own (kernels::GradientPanels).
  void apply(const Operands& operands, const kernels::PackedWeightShape& weight, const Block& block,
             const float* panels) const;

  /// Whether products can make it of each tile (kernels::GemmUpdate): optimisers with one state at most.
  bool by_tiles() const { return static_cast<bool>(copied_.run); }

  /// That, while `operands` are valid.
  class Tiles {
   public:
    Tiles(const WeightUpdate& update, const Operands& operands);
    const kernels::GemmUpdate& gemm() const { return gemm_; }

   private:
    const CopiedUpdate& update_;
    const Operands& operands_;
    kernels::GemmUpdate gemm_;
  };

 private:
  ElementUpdate update_;
  CopiedUpdate copied_;
};

/// Whether the gradient that is output `output` is wanted at all.
inline bool needs_gradient(const BindContext& context, int output) {
  return context.update() != nullptr || context.has_output(output);
}

}  // namespace bramble::engine
