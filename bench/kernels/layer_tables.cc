#include "bench/kernels/layer_tables.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "graph/autodiff.h"
#include "graph/ops/attention.h"
#include "graph/ops/batchnorm.h"
#include "graph/ops/conv2d.h"
#include "graph/ops/layernorm.h"
#include "graph/ops/linear.h"

namespace bramble::bench {
namespace {

using graph::Activation;
using graph::Layout;
using graph::Role;
using graph::Shape;
using graph::TensorId;

/// Layers side by side, each with an input and a gradient of its own.
class Table {
 public:
  explicit Table(std::int64_t batch) : batch_(batch) {}

  void conv(int size, int in, int out, int kernel, int stride, int padding) {
    graph::Conv2dAttributes a;
    a.out_channels = out;
    a.kernel_h = a.kernel_w = kernel;
    a.stride = stride;
    a.padding = padding;
    // The images have no gradient.
    const TensorId x = in == 3 ? images(size) : input({batch_, size, size, in});
    layer(std::make_shared<graph::Conv2d>(a), {x, weight({out, in, kernel, kernel}, Layout::gemm_weight)});
  }
  void linear(std::int64_t rows_an_image, int in, int out, Activation activation = Activation::none) {
    layer(std::make_shared<graph::Linear>(graph::LinearAttributes{out, activation}),
          {input({batch_, rows_an_image, in}), weight({out, in}, Layout::gemm_weight), weight({out})});
  }
  /// A transformer's perceptron, four times as wide inside.
  void perceptron(std::int64_t rows_an_image, int channels) {
    linear(rows_an_image, channels, 4 * channels, Activation::gelu);
    linear(rows_an_image, 4 * channels, channels);
  }
  void attention(int windows, int length, int channels, int heads) {
    layer(std::make_shared<graph::Attention>(graph::AttentionAttributes{heads}),
          {input({batch_ * windows, length, 3 * channels})});
  }
  void layernorm(std::int64_t rows_an_image, int channels) {
    layer(std::make_shared<graph::LayerNorm>(graph::LayerNormAttributes{}),
          {input({batch_, rows_an_image, channels}), weight({channels}), weight({channels})});
  }
  void batchnorm(int size, int channels, Activation activation) {
    layer(std::make_shared<graph::BatchNorm>(graph::BatchNormAttributes{.activation = activation}),
          {input({batch_, size, size, channels}), weight({channels}), weight({channels}), statistics(channels),
           statistics(channels)});
  }

  graph::Graph finish() {
    for (const auto& [parameter, gradient] : graph::differentiate(graph_, seeds_, wanted_)) graph_.keep(gradient);
    return std::move(graph_);
  }

 private:
  TensorId add(Shape shape, Role role, Layout layout = Layout::dense) {
    graph::TensorSpec spec{std::move(shape)};
    spec.layout = layout;
    return graph_.add_tensor({"tensor" + std::to_string(graph_.tensors().size()), std::move(spec), role});
  }
  TensorId wanted(TensorId id) {
    wanted_.push_back(id);
    return id;
  }
  TensorId images(int size) { return add({batch_, size, size, 3}, Role::input); }
  TensorId input(Shape shape) { return wanted(add(std::move(shape), Role::input)); }
  TensorId weight(Shape shape, Layout layout = Layout::dense) {
    return wanted(add(std::move(shape), Role::parameter, layout));
  }
  TensorId statistics(int channels) { return add({channels}, Role::buffer); }

  void layer(graph::OpPtr op, std::vector<TensorId> inputs) {
    const TensorId y = graph_.add_node(std::move(op), "layer" + std::to_string(seeds_.size()), std::move(inputs))[0];
    graph_.keep(y);
    seeds_.push_back({y, add(graph_.tensor(y).spec.shape, Role::input)});
  }

  std::int64_t batch_;
  graph::Graph graph_;
  std::vector<graph::Seed> seeds_;
  std::vector<TensorId> wanted_;
};

/// FasterViT-1 (Hatamizadeh et al. 2023; the authors' faster_vit_1_224): a stem of two 3x3 convolutions, two stages of
/// convolutions, two of attention in windows of 7x7 with heads of 40 channels. At 14x14 each window's 49 tokens are
/// joined by 4 carrier tokens, and the image's 16 of those attend to each other first. The position bias of the scores
/// is left out.
void faster_vit_1(Table& table) {
  table.conv(224, 3, 32, 3, 2, 1);
  table.batchnorm(112, 32, Activation::relu);
  table.conv(112, 32, 80, 3, 2, 1);
  table.batchnorm(56, 80, Activation::relu);
  int size = 56, channels = 80;
  for (; channels <= 160; size /= 2, channels *= 2) {
    table.conv(size, channels, channels, 3, 1, 1);
    table.batchnorm(size, channels, Activation::none);
    table.layernorm(size * size, channels);
    table.conv(size, channels, 2 * channels, 3, 2, 1);
  }
  const auto transformer = [&](int windows, int length) {
    const int rows = windows * length;
    table.layernorm(rows, channels);
    table.linear(rows, channels, 3 * channels);
    table.attention(windows, length, channels, channels / 40);
    table.linear(rows, channels, channels);
    table.perceptron(rows, channels);
  };
  transformer(4, 49 + 4);
  transformer(1, 4 * 4);
  table.layernorm(14 * 14, channels);
  table.conv(14, channels, 2 * channels, 3, 2, 1);
  channels *= 2;
  transformer(1, 49);
  table.linear(1, channels, 1000);
}

}  // namespace

graph::Graph layer_table(std::string_view model, std::int64_t batch) {
  Table table(batch);
  if (model != "faster_vit_1")
    throw std::logic_error("neither a model nor a table of layers: " + std::string(model));
  faster_vit_1(table);
  return table.finish();
}

}  // namespace bramble::bench
