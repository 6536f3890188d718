// Which of a file's tensors are the model, and under which names: training programs wrap them in prefixes, and keep the
// moving averages beside them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bramble::convert {

enum class Weights { plain, averaged };

struct Selected {
  std::string stored;  ///< the file's name
  std::string name;    ///< the model's
};

/// Of `names` those that are the model's, in their order, without their wrappers: "state_dict.module.fc.bias" is
/// fc.bias, "state_dict_ema.fc.bias" its moving average. Where only some names have a wrapper, the rest is not the
/// model (an optimiser's state). Empty if there are no averages and they are asked for.
std::vector<Selected> select_model(const std::vector<std::string>& names, Weights which);

}  // namespace bramble::convert
