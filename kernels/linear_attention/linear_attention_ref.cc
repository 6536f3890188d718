// The equations of linear_attention.h as loops, in double.
#include <algorithm>
#include <cstddef>
#include <vector>

#include "kernels/linear_attention/linear_attention.h"

namespace bramble::kernels {
namespace {

double positive(float value) { return std::max(0.0, static_cast<double>(value)); }

/// [dim][dim + 1]
struct State {
  std::int64_t dim;
  std::vector<double> values;

  explicit State(std::int64_t width)
      : dim(width), values(static_cast<std::size_t>(width * (width + 1)), 0.0) {}
  double& at(std::int64_t d, std::int64_t e) { return values[static_cast<std::size_t>(d * (dim + 1) + e)]; }
};

State state_of(const LinearAttentionShape& shape, const HeadInputs& inputs) {
  State state(shape.dim);
  for (std::int64_t l = 0; l < shape.length; ++l)
    for (std::int64_t d = 0; d < shape.dim; ++d)
      for (std::int64_t e = 0; e <= shape.dim; ++e)
        state.at(d, e) += positive(inputs.k.row(l)[d]) * (e < shape.dim ? inputs.v.row(l)[e] : 1.0);
  return state;
}

/// Row l of q' times the state; the last one is the weight without eps.
std::vector<double> products(const HeadInputs& inputs, State& state, std::int64_t l) {
  std::vector<double> row(static_cast<std::size_t>(state.dim + 1), 0.0);
  for (std::int64_t d = 0; d < state.dim; ++d)
    for (std::int64_t e = 0; e <= state.dim; ++e)
      row[static_cast<std::size_t>(e)] += positive(inputs.q.row(l)[d]) * state.at(d, e);
  return row;
}

}  // namespace

void linear_attention_fwd_f32_ref(const LinearAttentionShape& shape, const HeadInputs& inputs,
                                  MatrixRows<float> y, float* state) {
  State sums = state_of(shape, inputs);
  const std::int64_t width = linear_attention_state_width(shape.dim);
  for (std::int64_t d = 0; d < shape.dim; ++d)
    for (std::int64_t e = 0; e < width; ++e)
      state[d * width + e] = e <= shape.dim ? static_cast<float>(sums.at(d, e)) : 0.0F;
  for (std::int64_t l = 0; l < shape.length; ++l) {
    const std::vector<double> row = products(inputs, sums, l);
    for (std::int64_t e = 0; e < shape.dim; ++e)
      y.row(l)[e] = static_cast<float>(row[static_cast<std::size_t>(e)] / (row.back() + shape.eps));
  }
}

void linear_attention_bwd_f32_ref(const LinearAttentionShape& shape, const HeadInputs& inputs,
                                  MatrixRows<const float> dy, const HeadGradients& gradients) {
  const std::int64_t dim = shape.dim;
  State state = state_of(shape, inputs), dstate(dim);
  for (std::int64_t l = 0; l < shape.length; ++l) {
    const std::vector<double> row = products(inputs, state, l);
    const double weight = row.back() + shape.eps;
    std::vector<double> dout(row.size(), 0.0);
    for (std::size_t e = 0; e + 1 < row.size(); ++e) {
      dout[e] = dy.row(l)[e] / weight;
      dout.back() -= dout[e] * row[e] / weight;
    }
    for (std::int64_t d = 0; d < dim; ++d) {
      double dq = 0;
      for (std::int64_t e = 0; e <= dim; ++e) {
        dq += dout[static_cast<std::size_t>(e)] * state.at(d, e);
        dstate.at(d, e) += positive(inputs.q.row(l)[d]) * dout[static_cast<std::size_t>(e)];
      }
      gradients.dq.row(l)[d] = inputs.q.row(l)[d] > 0 ? static_cast<float>(dq) : 0.0F;
    }
  }
  for (std::int64_t l = 0; l < shape.length; ++l) {
    for (std::int64_t d = 0; d < dim; ++d) {
      double dk = dstate.at(d, dim), dv = 0;
      for (std::int64_t e = 0; e < dim; ++e) {
        dk += inputs.v.row(l)[e] * dstate.at(d, e);
        dv += positive(inputs.k.row(l)[e]) * dstate.at(e, d);
      }
      gradients.dk.row(l)[d] = inputs.k.row(l)[d] > 0 ? static_cast<float>(dk) : 0.0F;
      gradients.dv.row(l)[d] = static_cast<float>(dv);
    }
  }
}

}  // namespace bramble::kernels
