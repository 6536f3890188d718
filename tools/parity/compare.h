// How far computed values are from a golden's, in the golden's own measure.
#pragma once

#include <string>
#include <vector>

#include "tools/parity/golden_file.h"

namespace bramble::parity {

struct Deviation {
  std::string name;      ///< the tensor, or "step 2"
  double value = 0;      ///< relative; NaN and infinity are outside
  double tolerance = 0;  ///< max(20 * fp32 noise, 2e-4)
  bool inside() const { return value <= tolerance; }
};

/// All values of one kind, such as the gradients.
struct Kind {
  std::string name;
  std::vector<Deviation> deviations;
  std::vector<std::string> faults;  ///< missing tensors, other shapes

  bool inside() const;
  /// The deviation that is the largest share of its tolerance; nullptr if nothing was compared.
  const Deviation* worst() const;
};

/// The kinds in the golden's order, the lists of shapes first.
std::vector<Kind> compare(const Golden& golden, const Values& computed);

/// The computed values' own distance from float64, as `compare` measures it.
Noise measured_noise(const Golden& golden, const Values& computed);

}  // namespace bramble::parity
