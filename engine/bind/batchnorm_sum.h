// What the forward and the backward of a sum of BatchNorms share: which branches make which term, and the cuts.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/bind/activation.h"
#include "engine/bind/bind.h"
#include "engine/bind/slices.h"
#include "graph/ops/batchnorm_sum.h"
#include "kernels/batchnorm_sum/batchnorm_sum.h"

namespace bramble::engine {

struct BatchNormSumLayout {
  BatchNormSumLayout(const graph::BatchNormSumAttributes& attributes, const graph::Shape& x)
      : branches(attributes.branches),
        activation(to_kernel(attributes.activation)),
        channels(static_cast<std::size_t>(x.back())),
        rows(static_cast<std::size_t>(graph::element_count(x)) / channels),
        by_rows(slice_rows(rows, channels)),
        parts(static_cast<std::size_t>(by_rows.count)),
        by_channels(slice_channels(channels, 2 * parts * branches.size())) {
    for (int k = 0; k < static_cast<int>(branches.size()); ++k)
      if (branches[static_cast<std::size_t>(k)].leader == k) leaders.push_back(k);
  }

  int leader(int branch) const { return branches[static_cast<std::size_t>(branch)].leader; }
  float sign(int branch) const { return branches[static_cast<std::size_t>(branch)].negative ? -1.0F : 1.0F; }
  int count() const { return static_cast<int>(branches.size()); }
  std::size_t terms() const { return leaders.size(); }

  std::vector<graph::BatchNormSumAttributes::Branch> branches;
  std::vector<int> leaders;  ///< a term's
  kernels::Activation activation;
  std::size_t channels, rows;
  Slices by_rows;
  std::size_t parts;
  Slices by_channels;
};

}  // namespace bramble::engine
