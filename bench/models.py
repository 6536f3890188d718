#!/usr/bin/env python3
"""The README's table of results: seconds a batch of 16 on a Raspberry Pi 5, modelled, beside PyTorch's published ones.

    bench/models.py                                   # the table's models, both tasks
    bench/models.py --models resnet18,vit_tiny --tasks head

Each model and task runs one step of bench_models on 4 images, on one thread, under pi5model/; times 4 gives 16 images.
Published seconds and limits are from pi5_baseline.csv; a limit that leaves out a model's attention is raised to all
of the step's multiply-adds at 153.6 GFLOP/s. Needs the cross build, qemu-user, llvm-19 and a C compiler.
"""
import argparse
import csv

from modelled import CORES, CORE_FLOPS, HERE, Runner, add_options, deliver, fail, markdown, run

MODELS = "resnet18,resnet50,mobilenetv2_100,mnasnet_100,vit_tiny,vit_base"
BATCH, PUBLISHED_BATCH = 4, 16
SCALE = PUBLISHED_BATCH // BATCH


def number(text):
    return float(text) if text else None


def baseline():
    with open(HERE / "pi5_baseline.csv", newline="") as file:
        rows = {row["model"]: row for row in csv.DictReader(file)}
    published = {(name, "train"): number(row["pi5_train_s"]) for name, row in rows.items()}
    published |= {(name, "head"): number(row["pi5_head_s"] or row["pi5_head_bar_s"]) for name, row in rows.items()}
    limits = {(name, task): number(row[f"limit_{task}_s"]) for name, row in rows.items() for task in ("train", "head")}
    return published, limits


def arguments_of(model, task):
    return ["--models", model, "--tasks", task, "--batch", str(BATCH), "--in-memory", "--steps", "1", "--warmup", "0",
            "--threads", "1", "--mark-region"]


def seconds(value):
    return "-" if value is None else f"{value:.2f}"


def row_of(case, result, published, limits):
    step = result["report"][0]
    flops = SCALE * step["gflop_per_s"] * 1e9 * step["seconds_median"]
    limit = max(limits.get(case) or 0, flops / (CORES * CORE_FLOPS))
    one, four, cautious = (SCALE * result[f"{name}_seconds"] for name in ("one_core", "four_core", "cautious"))
    theirs = published.get(case)
    return [case[0], case[1], seconds(one), seconds(four), seconds(cautious), seconds(limit), seconds(theirs),
            f"{theirs / cautious:.1f}" if theirs else "-"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser)
    parser.add_argument("--models", default=MODELS, help="separated by commas (%(default)s)")
    parser.add_argument("--tasks", default="train,head", help="train, head or both (%(default)s)")
    args = parser.parse_args()
    tasks = args.tasks.split(",")
    if not set(tasks) <= {"train", "head"}:
        fail(f"--tasks {args.tasks}: there are train and head")
    runner = Runner(args, "bench_models")
    known = runner.output(["--list"]).split()
    for model in args.models.split(","):
        if model not in known:
            fail(f"--models: no model '{model}'; there are {', '.join(known)}")
    cases = [(model, task) for model in args.models.split(",") for task in tasks]
    results = runner.all([(case, " ".join(case), arguments_of(*case), True, "--json") for case in cases])
    published, limits = baseline()
    deliver(markdown(["model", "task", "one core", "four cores", "cautious", "limit", "published PyTorch",
                      "published / cautious"], [row_of(case, results[case], published, limits) for case in cases]),
            args.out)


if __name__ == "__main__":
    run(main)
