#include "graph/plan.h"

#include <algorithm>
#include <numeric>

namespace bramble::graph {
namespace {

constexpr std::size_t kAlignment = 64;  // a cache line
constexpr int kNever = -1;

std::size_t index(TensorId id) { return static_cast<std::size_t>(id); }

/// From the node that first writes it to the last node that touches it; both inclusive.
struct Life {
  int first = kNever;
  int last = kNever;
  bool overlaps(const Life& other) const { return first <= other.last && other.first <= last; }
};

/// Tensors that lie in the same bytes: views, and outputs that took over an input.
struct Buffer {
  Life life;
  std::size_t bytes = 0;
  std::size_t offset = 0;
};

class Planner {
 public:
  Planner(const Graph& graph, const SizeOf& size_of, bool share) : graph_(graph), size_of_(size_of), share_(share) {
    read_.assign(graph.tensors().size(), false);
    lives_.resize(graph.tensors().size());
    buffer_of_.assign(graph.tensors().size(), kNever);
    within_.assign(graph.tensors().size(), 0);
    plan_.placements.resize(graph.tensors().size());
  }

  Plan run() {
    find_lives();
    place_owned();
    for (int i = 0; i < static_cast<int>(graph_.nodes().size()); ++i) make_buffers(i);
    assign_offsets();
    for (std::size_t id = 0; id < buffer_of_.size(); ++id)
      if (buffer_of_[id] != kNever) {
        plan_.placements[id].where = Placement::Where::arena;
        plan_.placements[id].offset = buffers_[static_cast<std::size_t>(buffer_of_[id])].offset + within_[id];
      }
    return std::move(plan_);
  }

 private:
  void find_lives() {
    for (int i = 0; i < static_cast<int>(graph_.nodes().size()); ++i) {
      const Node& node = graph_.nodes()[static_cast<std::size_t>(i)];
      for (const TensorId id : node.outputs) lives_[index(id)] = {i, i};
      for (const TensorId id : node.inputs)
        if (id != kNoTensor) {
          lives_[index(id)].last = i;
          read_[index(id)] = true;
        }
    }
    for (const TensorId id : graph_.kept()) read_[index(id)] = true;
  }

  void place_owned() {
    for (std::size_t id = 0; id < graph_.tensors().size(); ++id) {
      const Tensor& tensor = graph_.tensors()[id];
      if (tensor.persistent() || tensor.role == Role::input) plan_.placements[id].where = Placement::Where::own;
    }
    for (const TensorId id : graph_.kept()) plan_.placements[index(source_of(id))].where = Placement::Where::own;
  }

  /// What a view is a view of; any other tensor itself.
  TensorId source_of(TensorId id) const {
    for (auto node = graph_.nodes().rbegin(); node != graph_.nodes().rend(); ++node)
      for (int o = 0; o < static_cast<int>(node->outputs.size()); ++o)
        if (node->outputs[static_cast<std::size_t>(o)] == id && node->op->is_view(o)) {
          id = node->inputs[static_cast<std::size_t>(node->op->in_place_input(o))];
          break;
        }
    return id;
  }

  bool owned(TensorId id) const { return plan_.placements[index(id)].where == Placement::Where::own; }

  void make_buffers(int position) {
    const Node& node = graph_.nodes()[static_cast<std::size_t>(position)];
    for (int o = 0; o < static_cast<int>(node.outputs.size()); ++o) {
      const TensorId output = node.outputs[static_cast<std::size_t>(o)];
      if (owned(output) || !read_[index(output)]) continue;
      const int reusable = node.op->in_place_input(o);
      const bool given = reusable >= 0 && static_cast<std::size_t>(reusable) < node.inputs.size();
      const TensorId input = given ? node.inputs[static_cast<std::size_t>(reusable)] : kNoTensor;
      if (node.op->is_view(o)) {
        const auto begin = static_cast<std::size_t>(node.op->view_offset(o));
        make_view(output, input, begin * size_of(graph_.tensor(input).spec.dtype));
      } else if (!take_over(position, output, input)) {
        buffer_of_[index(output)] = static_cast<int>(buffers_.size());
        buffers_.push_back({lives_[index(output)], size_of_(graph_.tensor(output).spec)});
      }
    }
  }

  /// `begin`: bytes from the input's first to the view's.
  void make_view(TensorId output, TensorId input, std::size_t begin) {
    if (buffer_of_[index(input)] != kNever) {
      join(output, buffer_of_[index(input)]);
      within_[index(output)] = within_[index(input)] + begin;
      return;
    }
    const Placement& target = plan_.placements[index(input)];
    plan_.placements[index(output)] = target.where == Placement::Where::view_of
                                          ? Placement{target.where, target.offset + begin, target.target}
                                          : Placement{Placement::Where::view_of, begin, input};
  }

  bool take_over(int position, TensorId output, TensorId input) {
    if (!share_ || input == kNoTensor || buffer_of_[index(input)] == kNever) return false;
    const int candidate = buffer_of_[index(input)];
    const Buffer& buffer = buffers_[static_cast<std::size_t>(candidate)];
    // Rows in other places would meet those of others that are still to be read, of this tensor or of a part of it.
    if (graph_.tensor(output).spec.layout != graph_.tensor(input).spec.layout) return false;
    if (reads_part_of(position, candidate)) return false;
    if (buffer.life.last != position || buffer.bytes < size_of_(graph_.tensor(output).spec)) return false;
    join(output, candidate);
    return true;
  }

  bool reads_part_of(int position, int buffer) const {
    return std::ranges::any_of(graph_.nodes()[static_cast<std::size_t>(position)].inputs, [&](TensorId id) {
      return id != kNoTensor && buffer_of_[index(id)] == buffer && graph_.tensor(id).spec.layout == Layout::part;
    });
  }

  void join(TensorId id, int buffer) {
    buffer_of_[index(id)] = buffer;
    Life& life = buffers_[static_cast<std::size_t>(buffer)].life;
    life.last = std::max(life.last, lives_[index(id)].last);
  }

  void assign_offsets() {
    std::vector<std::size_t> order(buffers_.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return buffers_[a].bytes > buffers_[b].bytes; });
    std::vector<const Buffer*> placed;  // by offset
    for (const std::size_t i : order) {
      Buffer& buffer = buffers_[i];
      buffer.bytes = (buffer.bytes + kAlignment - 1) / kAlignment * kAlignment;
      buffer.offset = 0;
      for (const Buffer* other : placed) {
        if (share_ && !buffer.life.overlaps(other->life)) continue;
        if (buffer.offset + buffer.bytes <= other->offset) break;
        buffer.offset = std::max(buffer.offset, other->offset + other->bytes);
      }
      plan_.arena_bytes = std::max(plan_.arena_bytes, buffer.offset + buffer.bytes);
      placed.insert(std::upper_bound(placed.begin(), placed.end(), &buffer,
                                     [](const Buffer* a, const Buffer* b) { return a->offset < b->offset; }),
                    &buffer);
    }
  }

  const Graph& graph_;
  const SizeOf& size_of_;
  const bool share_;
  std::vector<bool> read_;
  std::vector<Life> lives_;
  std::vector<int> buffer_of_;
  std::vector<std::size_t> within_;  // bytes from the buffer's first: of views
  std::vector<Buffer> buffers_;
  Plan plan_;
};

}  // namespace

Plan plan_memory(const Graph& graph, const SizeOf& size_of, bool share) {
  return Planner(graph, size_of, share).run();
}

}  // namespace bramble::graph
