// The machine that Bramble runs on.
#pragma once

#include <string>

#include "engine/bind/bind.h"

namespace bramble::engine {

/// From cpuinfo. Where it knows no core (as under an emulator), a Raspberry Pi 5's.
CacheSizes detect_caches();

}  // namespace bramble::engine
