// The `bramble` command.
#include "tools/cli/program.h"
#include "tools/convert/command.h"
#include "tools/inspect_command.h"
#include "tools/models_command.h"
#include "tools/parity/command.h"
#include "tools/train/command.h"

int main(int argc, char** argv) {
  CLI::App app("Trains vision models on a Raspberry Pi.", "bramble");
  app.require_subcommand(1);

  bramble::train::Options train_options;
  CLI::App* train = app.add_subcommand("train", "Train or fine-tune a model on a folder of images.");
  bramble::train::add_options(*train, train_options);

  bramble::train::EvalOptions eval_options;
  CLI::App* eval = app.add_subcommand("eval", "Measure a trained model on a folder of images.");
  bramble::train::add_options(*eval, eval_options);

  bramble::train::PredictOptions predict_options;
  CLI::App* predict = app.add_subcommand("predict", "Say what images show.");
  bramble::train::add_options(*predict, predict_options);

  bramble::convert::Options convert_options;
  CLI::App* convert =
      app.add_subcommand("convert", "Make a plain safetensors file of a checkpoint, timm's or ours, and check it.");
  bramble::convert::add_options(*convert, convert_options);

  bramble::parity::CommandOptions parity_options;
  CLI::App* parity = app.add_subcommand("parity", "Hold the engine against what PyTorch computed.");
  bramble::parity::add_options(*parity, parity_options);

  bool as_json = false;
  CLI::App* models = app.add_subcommand("models", "List the models.");
  models->add_flag("--json", as_json, "for machines");

  std::filesystem::path checkpoint;
  CLI::App* inspect = app.add_subcommand("inspect", "List what a safetensors file holds.");
  inspect->add_option("checkpoint", checkpoint, "a .safetensors file")->required();

  const auto expand = [](std::vector<std::string> arguments) { return bramble::train::expand_config(arguments); };
  return bramble::cli::run_program(
      app, argc, argv,
      [&] {
        if (*train) return bramble::train::run(train_options);
        if (*eval) return bramble::train::run(eval_options);
        if (*predict) return bramble::train::run(predict_options);
        if (*convert) return bramble::convert::run(convert_options);
        if (*parity) return bramble::parity::run(parity_options);
        if (*inspect) return bramble::tools::inspect_checkpoint(checkpoint);
        return bramble::tools::list_models(as_json);
      },
      expand);
}
