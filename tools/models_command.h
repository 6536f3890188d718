// `bramble models`: what the registry has.
#pragma once

namespace bramble::tools {

/// A table, or JSON for machines.
int list_models(bool as_json);

}  // namespace bramble::tools
