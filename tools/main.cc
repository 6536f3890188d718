// The `bramble` command.
#include "tools/cli/program.h"
#include "tools/models_command.h"
#include "tools/parity/command.h"

int main(int argc, char** argv) {
  CLI::App app("Trains vision models on a Raspberry Pi.", "bramble");
  app.require_subcommand(1);

  bramble::parity::CommandOptions parity_options;
  CLI::App* parity = app.add_subcommand("parity", "Hold the engine against what PyTorch computed.");
  bramble::parity::add_options(*parity, parity_options);

  bool as_json = false;
  CLI::App* models = app.add_subcommand("models", "List the models.");
  models->add_flag("--json", as_json, "for machines");

  return bramble::cli::run_program(app, argc, argv, [&] {
    return *parity ? bramble::parity::run(parity_options) : bramble::tools::list_models(as_json);
  });
}
