// What a graph knows of a tensor: its shape, type, meaning, and the form its values lie in. No memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bramble::graph {

using TensorId = std::int32_t;
inline constexpr TensorId kNoTensor = -1;

/// Extents, outermost first. Activations are NHWC ([N, H, W, C]) or tokens ([N, L, C]).
using Shape = std::vector<std::int64_t>;

enum class DType : std::uint8_t { f32, f64, i32, u8 };

/// How the values lie in memory. The graph only passes it along; engine/layout.h gives sizes and conversions.
enum class Layout : std::uint8_t {
  dense,             ///< row-major in `shape`
  spread_rows,       ///< row-major, rows (of the last dimension) further apart; see graph/spread_rows.h
  part,              ///< some channels of a wider tensor, row_pitch elements from row to row; see graph/view_parts.h
  gemm_weight,       ///< shape [out, in] or PyTorch's [out, in / groups, KH, KW]; stored as the GEMM's packed B panels
  depthwise_weight,  ///< shape PyTorch's [C, 1, KH, KW]; stored as [KH * KW][C]
};

enum class Role : std::uint8_t {
  input,       ///< filled by the caller before a step
  parameter,   ///< trained; lives as long as the session, under timm's name
  buffer,      ///< running statistics; lives as long as the session, under timm's name
  state,       ///< of the optimiser; lives as long as the session
  activation,  ///< made and consumed within a step
  gradient,    ///< made and consumed within a step
};

/// Everything about a tensor that shape rules look at.
struct TensorSpec {
  Shape shape;
  DType dtype = DType::f32;
  Layout layout = Layout::dense;
  int groups = 1;  ///< of a grouped convolution's weight: that many separate matrices
  std::int64_t row_pitch = 0;  ///< of a part
};

struct Tensor {
  std::string name;
  TensorSpec spec;
  Role role = Role::activation;

  bool persistent() const { return role == Role::parameter || role == Role::buffer || role == Role::state; }
};

std::int64_t element_count(const Shape& shape);
std::size_t size_of(DType dtype);
/// "[16, 56, 56, 64]"
std::string to_string(const Shape& shape);

}  // namespace bramble::graph
