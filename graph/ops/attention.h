// Softmax attention: for each image, window and head, y = softmax(scale * q k^T + bias + mask) v. The scores are never
// stored whole; the backward recomputes them from q, k and the rows' log-sum-exp.
#pragma once

#include "graph/backward_context.h"

namespace bramble::graph {

/// How an image's tokens divide into windows that attend to themselves alone. Index arithmetic, no copy.
struct WindowPartition {
  enum class Kind : std::uint8_t {
    none,   ///< the whole sequence is one window
    block,  ///< windows of neighbours (Swin, MaxViT)
    grid,   ///< every height / window_height-th token of a row or column: a window spans the image (MaxViT)
  };
  Kind kind = Kind::none;
  std::int64_t window = 0;  ///< tokens of a side
  std::int64_t shift = 0;   ///< blocks are of the image rolled up and left by so much; what was not adjacent is masked
};

struct AttentionAttributes {
  /// Along qkv's last dimension.
  enum class Order : std::uint8_t {
    parts_heads,  ///< [q, k, v][heads][dim]
    heads_parts,  ///< [heads][q, k, v][dim]
  };
  int heads = 1;
  float scale = 0;    ///< 0: 1 / sqrt(key_dim)
  int key_dim = 0;    ///< of a head; 0: a third of what qkv has for it
  int value_dim = 0;  ///< likewise; 0: key_dim
  Order order = Order::parts_heads;
  WindowPartition partition{};
};

/// Sizes that follow from qkv's shape.
struct AttentionSizes {
  std::int64_t images, windows;  ///< windows of an image
  std::int64_t length;           ///< tokens of a window
  std::int64_t heads, key_dim, value_dim;

  /// Throws ShapeError where the attributes do not fit.
  AttentionSizes(const AttentionAttributes& attributes, const Shape& qkv);
  /// Of the bias: the scores' transpose, queries padded to whole vectors.
  Shape bias_shape() const { return {heads, length, (length + 3) / 4 * 4}; }
};

/// Inputs: qkv [N, L, Q], or [N, H, W, Q] where it is partitioned, optional bias [heads, keys, queries rounded up to 4]
/// (relative_position_bias.h makes it). Outputs: y [N, L, heads * value_dim] or [N, H, W, …], lse [N, heads, L]
/// (in base 2).
class Attention : public Op {
 public:
  explicit Attention(const AttentionAttributes& values) : attributes(values) {}
  const AttentionAttributes attributes;

  std::string_view name() const override { return "attention"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  void backward(BackwardContext& context) const override;
  double flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs) const override;
};

/// Inputs: dy, qkv, y, lse, optional bias. Outputs: dqkv; dbias where there is a bias, its padding of no meaning.
class AttentionBwd : public Op {
 public:
  explicit AttentionBwd(const AttentionAttributes& values) : attributes(values) {}
  const AttentionAttributes attributes;

  std::string_view name() const override { return "attention_bwd"; }
  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override;
  double flops(std::span<const TensorSpec> inputs, std::span<const TensorSpec> outputs) const override;
};

}  // namespace bramble::graph
