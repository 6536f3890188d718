// XNNPACK's forward operators on the same shapes: the peer beside our figures.
#pragma once

#include <memory>

#include "kernels/conv2d/conv2d.h"

namespace bramble::bench {

/// A convolution with bias and ReLU (a fully connected operator where the shape is a linear layer's), run by XNNPACK.
class XnnpackConv2d {
 public:
  explicit XnnpackConv2d(const kernels::Conv2dShape& shape);
  ~XnnpackConv2d();

  void run();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bramble::bench
