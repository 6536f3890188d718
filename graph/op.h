// What an op is to the graph: a shape rule, a differentiation rule, its cost. It knows no kernel and no memory.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "graph/activation.h"
#include "graph/tensor.h"

namespace bramble::graph {

class BackwardContext;

/// Thrown by a shape rule; Graph::add_node puts the layer's name before it.
class ShapeError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Positions among a node's inputs.
struct NormalisedInput {
  int x = -1;
  int mean = -1;
  int gate = -1;  ///< < 0: it cannot take one
};

class Op {
 public:
  virtual ~Op() = default;

  /// The key under which engine/bind finds the kernel: "conv2d", "conv2d_bwd_data", …
  virtual std::string_view name() const = 0;

  /// Checks the inputs and returns what comes out. Throws ShapeError with what is wrong and what would be right.
  virtual std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const = 0;

  /// Emits the nodes that compute the wanted inputs' gradients. An op that trains nothing keeps the default.
  virtual void backward(BackwardContext& context) const;

  /// The input whose memory output `output` may take over (same size, read elementwise before it is written), an
  /// optional one too; or -1.
  virtual int in_place_input(int output) const;

  /// Whether output `output` IS input `in_place_input(output)` under another shape, or a part of it (a view: no work,
  /// no memory).
  virtual bool is_view(int /*output*/) const { return false; }
  /// Where in that input a view begins, in elements.
  virtual std::int64_t view_offset(int /*output*/) const { return 0; }

  /// Whether the op's kernels take input `input` with rows further apart than they are long: a part of a wider tensor.
  virtual bool takes_part(int /*input*/) const { return false; }

  /// The same op with `kind` applied to output 0; null if it cannot (or has an activation already). `has_addend`:
  /// whether the node adds its addend_input().
  virtual std::shared_ptr<const Op> with_activation(Activation kind, bool has_addend) const;

  /// The optional input that is added to output 0, if this op, as it stands, can take one; or -1. Passes that fuse
  /// look for it.
  virtual int addend_input() const { return -1; }

  /// The same op reading input `x`, one of normalised_inputs(), through a BatchNorm that leaves its output to its
  /// readers: input' = f((input - mean) * scale + beta). Null if it cannot, or reads it through one already.
  virtual std::shared_ptr<const Op> with_normalised_input(int x, Activation kind) const;
  /// The same where a squeeze-excite after the BatchNorm leaves its output to its readers, too: input' = f(…) times
  /// the gate [N, C]. Only for an input whose gate has a place.
  virtual std::shared_ptr<const Op> with_gated_input(int x, Activation kind) const;
  /// Which inputs an op of this kind may read so, and where the node takes each one's mean; scale and beta follow.
  virtual std::vector<NormalisedInput> normalised_inputs() const { return {}; }
  /// The same op taking as its dy the gradient before a BatchNorm's backward, which it does on the way in, with the
  /// BatchNorm's x and its coefficients (BatchNormBwd) as inputs gradient_input() and gradient_input() + 1. Null if it
  /// cannot, or would not gain by it.
  virtual std::shared_ptr<const Op> with_normalised_gradient(std::span<const TensorSpec> inputs, Activation kind) const;
  virtual int gradient_input() const { return -1; }
  /// The output that holds the sums which a BatchNorm needs of output 0 (channel_sums.h), for the forward's statistics
  /// or its backward's; or -1.
  virtual int channel_sums_output() const { return -1; }

  /// The same op taking the sums of its output 0 which a BatchNorm's backward needs of it as its dy (`kind`: that
  /// BatchNorm's activation), with that one's x, mean, scale, beta and, where the activation's mask comes from it, y as
  /// inputs from backward_sums_input() on. With y, output 0 is masked. Null if it cannot.
  virtual std::shared_ptr<const Op> with_backward_sums(Activation kind) const;
  virtual int backward_sums_input() const { return -1; }

  /// The same op where no gradient passes, so that an activation behind it whose sign rounding turns costs no more than
  /// that rounding: kernels may take a faster algorithm that rounds more. Null if that makes no difference to it.
  virtual std::shared_ptr<const Op> frozen() const;

  /// The output that is a weight's gradient, if this op can hand it on piece by piece (ops/with_update.h); or -1.
  virtual int weight_gradient_output() const { return -1; }

  /// Inputs that the node also writes (running statistics, an updated parameter, its momentum).
  virtual std::vector<int> mutated_inputs() const { return {}; }

  /// Multiplications and additions of the node, 2 per multiply-add, for rates and rooflines; 0 when bound by memory.
  virtual double flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs) const;
};

using OpPtr = std::shared_ptr<const Op>;

}  // namespace bramble::graph
