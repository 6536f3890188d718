#!/usr/bin/env python3
"""The same training steps in Bramble and in PyTorch, on this machine, in turns: seconds a step and their ratio.

    bench/peers/compare.py --build build/host --models resnet18,vit_tiny --threads 2 --timm /path/to/timm

PyTorch runs twice: as it is, and held to 128-bit vectors, which a Raspberry Pi 5 and Bramble's kernels have.
Each round runs every contestant in a process of its own; the figures are medians of the rounds' medians.
"""
import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
STEP = Path(__file__).with_name("pytorch_step.py")
HELD_TO_128_BITS = {"ONEDNN_MAX_CPU_ISA": "SSE41", "DNNL_MAX_CPU_ISA": "SSE41", "ATEN_CPU_CAPABILITY": "default",
                    "OPENBLAS_CORETYPE": "Nehalem"}


def fail(message):
    print(f"bramble: error: {message}", file=sys.stderr)
    sys.exit(1)


def run(command, what, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode:
        fail(f"{what}: {(done.stderr.strip().splitlines() or ['no output'])[-1]}")
    return done.stdout


def bramble_seconds(args, model, task):
    with tempfile.TemporaryDirectory(prefix="bramble-peers-") as folder:
        rows = Path(folder) / "rows.json"
        run([args.build / "bench" / "bench_models", "--models", model, "--tasks", task, "--batch", str(args.batch),
             "--threads", str(args.threads), "--steps", str(args.steps), "--warmup", "1", "--in-memory",
             "--json", rows], f"bench_models {model} {task}")
        return json.loads(rows.read_text())[0]["seconds_median"]


def pytorch_seconds(args, model, task, timm_name, held):
    environment = os.environ | (HELD_TO_128_BITS if held else {}) | {"OMP_NUM_THREADS": str(args.threads)}
    if args.timm:
        environment["PYTHONPATH"] = str(args.timm)
    printed = run([args.python, STEP, model, timm_name, task, "--batch", str(args.batch),
                   "--threads", str(args.threads), "--steps", str(args.steps)],
                  f"PyTorch {model} {task}", env=environment)
    result = json.loads(printed.splitlines()[-1])
    if result["blas"] == "reference BLAS" and not args.any_blas:
        fail("PyTorch here multiplies matrices with the reference BLAS, which is no peer: install libopenblas0-pthread "
             "(or say --any-blas)")
    args.sources.add(result["source"])
    return statistics.median(result["seconds"])


def measure(args, model, task, timm_name):
    times = {"bramble": [], "pytorch": [], "held": []}
    for turn in range(args.rounds):
        times["bramble"].append(bramble_seconds(args, model, task))
        times["pytorch"].append(pytorch_seconds(args, model, task, timm_name, False))
        times["held"].append(pytorch_seconds(args, model, task, timm_name, True))
        print(f"{model} {task}: round {turn + 1} of {args.rounds}: " +
              ", ".join(f"{name} {of[-1]:.3f} s" for name, of in times.items()), file=sys.stderr, flush=True)
    return {name: statistics.median(of) for name, of in times.items()}


def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("1 or more")
    return value


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=REPOSITORY / "build" / "host", help="(%(default)s)")
    parser.add_argument("--models", default="resnet18,resnet50,mobilenetv2_100,mnasnet_100,vit_tiny,vit_base",
                        help="(%(default)s)")
    parser.add_argument("--tasks", default="train,head", help="(%(default)s)")
    parser.add_argument("--batch", type=positive, default=16, help="images a step (%(default)s)")
    parser.add_argument("--threads", type=positive, default=len(os.sched_getaffinity(0)), help="(%(default)s)")
    parser.add_argument("--steps", type=positive, default=3, help="timed steps a run, after one more (%(default)s)")
    parser.add_argument("--rounds", type=positive, default=3, help="(%(default)s)")
    parser.add_argument("--python", default="/usr/bin/python3", help="one that has torch (%(default)s)")
    parser.add_argument("--timm", type=Path, help="the folder that timm was installed in with pip --target")
    parser.add_argument("--any-blas", action="store_true", help="go on even if PyTorch has the reference BLAS alone")
    args = parser.parse_args()
    args.sources = set()
    if not (args.build / "bench" / "bench_models").exists():
        fail(f"{args.build}: no bench/bench_models in it; build it first, or name the build with --build")
    return args


def main():
    args = parse()
    with open(REPOSITORY / "bench" / "pi5_baseline.csv", newline="") as file:
        timm_names = {row["model"]: row["timm"] for row in csv.DictReader(file)}
    models, tasks = args.models.split(","), args.tasks.split(",")
    for model in models:
        if model not in timm_names:
            fail(f"--models: no model '{model}'")
    if not set(tasks) <= {"train", "head"}:
        fail(f"--tasks {args.tasks}: there are train and head")
    rows = []
    for model in models:
        for task in tasks:
            m = measure(args, model, task, timm_names[model])
            rows.append(f"| {model} | {task} | {m['bramble']:.3f} | {m['pytorch']:.3f} | "
                        f"{m['pytorch'] / m['bramble']:.2f} | {m['held']:.3f} | {m['held'] / m['bramble']:.2f} |")
    print("| model | task | Bramble s | PyTorch s | times as fast | PyTorch s, 128 bits | times as fast |\n"
          "|---|---|---:|---:|---:|---:|---:|")
    print("\n".join(rows))
    print(f"\nBatch {args.batch}, {args.threads} thread(s), medians of {args.rounds} rounds of {args.steps} steps, "
          f"in turns; {'; '.join(sorted(args.sources))}.")


try:
    main()
except KeyboardInterrupt:
    sys.exit(130)
