#include "kernels/separable_attention/separable_attention.h"

#include <algorithm>

#include "engine/bind/ops.h"
#include "engine/bind/product_cuts.h"
#include "engine/bind/slices.h"
#include "graph/ops/separable_attention.h"

namespace bramble::engine {
namespace {

/// The sums over an image's pixels are cut by images and, where there are few, by channels; the passes over the pixels by
/// rows of all images.
struct Images {
  Images(const graph::Shape& qkv, int patch_size)
      : batch(qkv[0]),
        shape{qkv[1], qkv[2], qkv[3] / 2, patch_size},
        cuts(std::clamp<std::int64_t>((kTaskGoal + batch - 1) / batch, 1, (shape.channels + 15) / 16)),
        rows(slice_rows(static_cast<std::size_t>(batch * shape.height),
                        static_cast<std::size_t>(shape.width * shape.channels), 1)) {}

  std::int64_t sum_tasks() const { return batch * cuts; }
  std::int64_t image(std::int64_t task) const { return task / cuts; }
  std::int64_t channel_begin(std::int64_t task) const { return cut(task % cuts); }
  std::int64_t channel_end(std::int64_t task) const { return cut(task % cuts + 1); }

  std::int64_t pixels() const { return shape.height * shape.width; }
  std::int64_t qkv(std::int64_t n) const { return n * pixels() * shape.row(); }
  std::int64_t y(std::int64_t n) const { return n * pixels() * shape.channels; }
  std::int64_t scores(std::int64_t n) const { return n * pixels(); }
  std::int64_t context(std::int64_t n) const { return n * shape.places() * shape.channels; }

  /// Calls run(image, row_begin, row_end) for the task's rows, image by image.
  template <class Run>
  void for_each_image(std::int64_t task, Run run) const {
    const auto last = static_cast<std::int64_t>(rows.end(task));
    for (auto row = static_cast<std::int64_t>(rows.begin(task)), end = row; row < last; row = end) {
      const std::int64_t n = row / shape.height, first = n * shape.height;
      end = std::min(last, first + shape.height);
      run(n, row - first, end - first);
    }
  }

  std::int64_t batch;
  kernels::SeparableAttentionShape shape;
  std::int64_t cuts;
  Slices rows;

 private:
  std::int64_t cut(std::int64_t i) const { return std::min(shape.channels, (shape.channels + 15) / 16 * i / cuts * 16); }
};

std::size_t bytes(std::int64_t floats) { return static_cast<std::size_t>(floats) * sizeof(float); }

float* shared(const Operands& o) { return reinterpret_cast<float*>(o.shared); }

}  // namespace

Bound bind_separable_attention(const BindContext& context) {
  enum Output { kY, kScores, kContext };
  const Images images(context.input(0).shape, context.op<graph::SeparableAttention>().attributes.patch_size);
  const auto context_of = [images](const Operands& o, std::int64_t n) {
    float* const all = o.out<float>(kContext) != nullptr ? o.out<float>(kContext) : shared(o);
    return all + images.context(n);
  };
  Bound bound;
  bound.shared_scratch = bytes(images.context(images.batch));
  bound.thread_scratch = bytes(2 * images.pixels());
  bound.phases.push_back({images.sum_tasks(), [=](const Operands& o, std::int64_t task, std::byte* thread_scratch) {
                            const std::int64_t n = images.image(task);
                            const float* const qkv = o.in<float>(0) + images.qkv(n);
                            auto* const scores = reinterpret_cast<float*>(thread_scratch);
                            kernels::separable_attention_scores_f32(images.shape, qkv, scores,
                                                                    scores + images.pixels());
                            if (images.channel_begin(task) == 0 && o.out<float>(kScores) != nullptr)
                              std::copy_n(scores, images.pixels(), o.out<float>(kScores) + images.scores(n));
                            kernels::separable_attention_context_f32(images.shape, qkv, scores,
                                                                     images.channel_begin(task),
                                                                     images.channel_end(task), context_of(o, n));
                          }});
  bound.phases.push_back({images.rows.count, [=](const Operands& o, std::int64_t task, std::byte*) {
                            images.for_each_image(task, [&](std::int64_t n, std::int64_t begin, std::int64_t end) {
                              kernels::separable_attention_fwd_f32(images.shape, begin, end,
                                                                   o.in<float>(0) + images.qkv(n), context_of(o, n),
                                                                   o.out<float>(kY) + images.y(n));
                            });
                          }});
  return bound;
}

Bound bind_separable_attention_bwd(const BindContext& context) {
  enum Input { kDy, kQkv, kScores, kContext };
  const Images images(context.input(kQkv).shape, context.op<graph::SeparableAttentionBwd>().attributes.patch_size);
  Bound bound;
  bound.shared_scratch = bytes(images.context(images.batch));
  bound.phases.push_back({images.sum_tasks(), [=](const Operands& o, std::int64_t task, std::byte*) {
                            const std::int64_t n = images.image(task);
                            kernels::separable_attention_bwd_context_f32(
                                images.shape, o.in<float>(kQkv) + images.qkv(n), o.in<float>(kDy) + images.y(n),
                                images.channel_begin(task), images.channel_end(task), shared(o) + images.context(n));
                          }});
  bound.phases.push_back({images.rows.count, [=](const Operands& o, std::int64_t task, std::byte*) {
                            images.for_each_image(task, [&](std::int64_t n, std::int64_t begin, std::int64_t end) {
                              kernels::separable_attention_bwd_data_f32(
                                  images.shape, begin, end, o.in<float>(kQkv) + images.qkv(n),
                                  o.in<float>(kDy) + images.y(n),
                                  {o.in<float>(kScores) + images.scores(n), o.in<float>(kContext) + images.context(n),
                                   shared(o) + images.context(n)},
                                  o.out<float>(0) + images.qkv(n));
                            });
                          }});
  return bound;
}

}  // namespace bramble::engine
