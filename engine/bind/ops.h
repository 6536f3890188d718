// The bind functions, one for each op name; engine/bind/<op>.cc defines them, bind.cc lists them.
#pragma once

#include "engine/bind/bind.h"

namespace bramble::engine {

}  // namespace bramble::engine
