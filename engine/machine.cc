#include "engine/machine.h"

#include <cpuinfo.h>

#include <algorithm>

namespace bramble::engine {

CacheSizes detect_caches() {
  CacheSizes sizes;
  if (!cpuinfo_initialize() || cpuinfo_get_uarchs_count() == 0 ||
      cpuinfo_get_uarch(0)->uarch == cpuinfo_uarch_unknown)
    return sizes;
  // A container may show a machine without some level: keep the Pi's for it.
  if (const cpuinfo_cache* l1d = cpuinfo_get_l1d_cache(0)) sizes.l1d = std::max<std::size_t>(l1d->size, 16 << 10);
  if (const cpuinfo_cache* l2 = cpuinfo_get_l2_cache(0)) sizes.l2 = std::max<std::size_t>(l2->size, 128 << 10);
  if (const cpuinfo_cache* l3 = cpuinfo_get_l3_cache(0)) sizes.l3 = std::max<std::size_t>(l3->size, sizes.l2);
  return sizes;
}

}  // namespace bramble::engine
