#!/usr/bin/env python3
"""The README's tables of results: seconds a batch of 16 on a Raspberry Pi 5, modelled, beside PyTorch's published ones.

    bench/models.py                                   # the first table's models, both tasks
    bench/models.py --models resnet18,vit_tiny --tasks head
    bench/models.py --models all --by-model           # the table of all models, a line each: hours
    bench/models.py --models all --by-model --kept    # the same of what has been measured so far

Each model and task runs one step of bench_models on 4 images, on one thread, under pi5model/; times 4 gives 16 images.
Published seconds and limits are from pi5_baseline.csv; a limit that leaves out a model's attention is raised to all
of the step's multiply-adds at 153.6 GFLOP/s. Needs the cross build, qemu-user, llvm-19 and a C compiler.
"""
import argparse
import csv

from modelled import CORES, CORE_FLOPS, HERE, Runner, add_options, deliver, fail, markdown, run

MODELS = "resnet18,resnet50,mobilenetv2_100,mnasnet_100,vit_tiny,vit_base"
TASKS = ("train", "head")
BATCH, PUBLISHED_BATCH = 4, 16
SCALE = PUBLISHED_BATCH // BATCH


def number(text):
    return float(text) if text else None


class Published:
    """A model's row of pi5_baseline.csv; seconds and limits by task."""

    def __init__(self, row):
        self.parameters, self.top1 = row["params_m"], row["top1"]
        self.seconds = {"train": number(row["pi5_train_s"]), "head": number(row["pi5_head_s"] or row["pi5_head_bar_s"])}
        self.limit = {task: number(row[f"limit_{task}_s"]) for task in TASKS}
        self.off_a_chart = not row["pi5_head_s"] and bool(row["pi5_head_bar_s"])


def baseline():
    with open(HERE / "pi5_baseline.csv", newline="") as file:
        return {row["model"]: Published(row) for row in csv.DictReader(file)}


def arguments_of(model, task):
    return ["--models", model, "--tasks", task, "--batch", str(BATCH), "--in-memory", "--steps", "1", "--warmup", "0",
            "--threads", "1", "--mark-region"]


def seconds(value):
    return "-" if value is None else f"{value:.2f}"


def ratio(numerator, denominator, form="{:.1f}"):
    return form.format(numerator / denominator) if numerator and denominator else "-"


class Modelled:
    """A step's seconds a batch of 16, None where it has not been measured, and its limit."""

    def __init__(self, result, published_limit):
        self.one, self.four, self.cautious = (
            SCALE * result[f"{name}_seconds"] if result else None for name in ("one_core", "four_core", "cautious"))
        self.limit = published_limit or 0
        if result:
            step = result["report"][0]
            flops = SCALE * step["gflop_per_s"] * 1e9 * step["seconds_median"]
            self.limit = max(self.limit, flops / (CORES * CORE_FLOPS))


def table_by_step(cases, steps, published):
    rows = []
    for model, task in cases:
        step, theirs = steps[model, task], published[model].seconds[task]
        rows.append([model, task, seconds(step.one), seconds(step.four), seconds(step.cautious), seconds(step.limit),
                     seconds(theirs), ratio(theirs, step.cautious)])
    return markdown(["model", "task", "one core", "four cores", "cautious", "limit", "published PyTorch",
                     "published / cautious"], rows)


def table_by_model(models, tasks, steps, published):
    rows = []
    for model in models:
        of, mine = published[model], [steps[model, task] for task in tasks]
        theirs = [of.seconds[task] for task in tasks]

        def cells(values):
            return " / ".join(values)
        rows.append([model, of.parameters, of.top1 or "-", cells(seconds(step.limit) for step in mine),
                     cells(seconds(step.four) for step in mine), cells(seconds(step.cautious) for step in mine),
                     cells(ratio(100 * step.limit, step.four, "{:.0f}") for step in mine),
                     cells(map(seconds, theirs)) + (" *" if of.off_a_chart else ""),
                     cells(ratio(of, step.cautious) for of, step in zip(theirs, mine))])
    return markdown(["model", "parameters, M", "top-1", "limit", "four cores", "cautious", "limit / four cores, %",
                     "published PyTorch", "published / cautious"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser)
    parser.add_argument("--models", default=MODELS, help="separated by commas, or all (%(default)s)")
    parser.add_argument("--tasks", default=",".join(TASKS), help="train, head or both (%(default)s)")
    parser.add_argument("--by-model", action="store_true", help="a line a model, its tasks beside each other")
    args = parser.parse_args()
    tasks = args.tasks.split(",")
    if not set(tasks) <= set(TASKS):
        fail(f"--tasks {args.tasks}: there are train and head")
    runner, published = Runner(args, "bench_models"), baseline()
    known = runner.output(["--list"]).split()
    models = list(published) if args.models == "all" else args.models.split(",")
    for model in models:
        if model not in known or model not in published:
            fail(f"--models: no model '{model}'; there are {', '.join(published)}")
    cases = [(model, task) for model in models for task in tasks]
    results = runner.all([(case, " ".join(case), arguments_of(*case), True, "--json") for case in cases])
    steps = {(model, task): Modelled(results.get((model, task)), published[model].limit[task]) for model, task in cases}
    deliver(table_by_model(models, tasks, steps, published) if args.by_model else
            table_by_step(cases, steps, published), args.out)


if __name__ == "__main__":
    run(main)
