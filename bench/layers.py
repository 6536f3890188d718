#!/usr/bin/env python3
"""The table of single layers on a Raspberry Pi 5, modelled: every distinct layer of eight models, each pass, and
XNNPACK's forward beside ours.

    bench/layers.py --filter '^conv2d/.*_3x3' --batch 2         # some, to look at
    bench/layers.py --jobs 2 --out bench/layers.md              # all: hours
    bench/layers.py --jobs 2 --alone --out bench/xnnpack.md     # what XNNPACK has too, like for like: half an hour

Each case runs alone under pi5model/ on one core, caches included. The share of the roofline is that of the larger of
two bounds: all multiply-adds at 38.4 GFLOP/s, or every tensor once over the memory bus at 11 GB/s (BatchNorm's input
once more for its statistics); more than 100 % where Winograd multiplies less, or where caches hold the tensors.

XNNPACK's operator is the convolution alone; the layers of that name are ours alone, which training may only run as part
of another (`normalised` on the way in, `sums` of the output for the next BatchNorm, an activation): without that, a
pass over the input that writes it again, and one that reads the output, would go with XNNPACK's operator. The last
column but one grants them the bus' full rate.
Needs the cross build, qemu-user, llvm-19 and a C compiler.
"""
import argparse
import re
import statistics
from collections import defaultdict

import targets
from modelled import CORE_FLOPS, MEMORY_BYTES, Runner, add_options, deliver, fail, markdown, run


class Layer:
    def __init__(self, line):
        self.name, flops, self_bytes, self.plain, models = line.split("\t")
        self.flops, self.bytes, self.is_plain = float(flops), float(self_bytes), self.plain == self.name
        self.uses = {model: int(count) for model, count in (use.split(":") for use in models.split(","))}
        self.trained_so = any(self.uses.values())
        self.alone = self.is_plain or not self.trained_so
        self.op, self.shape, self.pass_ = self.name.split("/")

    def passes_seconds(self, batch):
        """Of the BatchNorm passes that ours includes, if they were passes of their own."""
        match = re.match(r"(\d+)x(\d+)_(\d+)(?:_(\d+))?_\d+x\d+(?:_s(\d+))?(.*)", self.shape)
        if not match:
            return 0.0
        height, width, channels, out, stride = (int(group or 0) for group in match.groups()[:5])
        pixels, stride, options = batch * height * width, stride or 1, match.group(6).split("_")
        x, y = 4 * pixels * channels, 4 * pixels * (out or channels) / stride ** 2
        return ((2 * x if "normalised" in options else 0) + (y if "sums" in options else 0)) / MEMORY_BYTES

    def peer_seconds(self, results):
        """Of XNNPACK's operator, where it was measured."""
        return results.get(self.plain + "_xnnpack", {}).get("one_core_seconds")

    def bound_seconds(self):
        return max(self.flops / CORE_FLOPS, self.bytes / MEMORY_BYTES)

    def bound(self):
        return "compute" if self.flops / CORE_FLOPS >= self.bytes / MEMORY_BYTES else "memory"


def select(runner, args):
    """The layers to measure, and all updates."""
    layers = [Layer(line) for line in runner.output(["--list-layers", "--batch", str(args.batch)]).splitlines()]
    wanted = [layer for layer in layers if re.search(args.filter, layer.name) and
              (not args.models or set(args.models.split(",")) & set(layer.uses)) and
              (layer.op != "sgd" or "sgd" in args.filter) and (layer.is_plain or not args.alone)]
    if not wanted:
        fail(f"no layer fits --filter '{args.filter}' and --models '{args.models}'")
    return wanted, [layer for layer in layers if layer.op == "sgd"]


def cases_of(layers, args):
    """A layer's own case, and XNNPACK's once for all that have the same operator."""
    names = [(layer.name, True) for layer in layers]
    if not args.ours:
        peers = (layer.plain + "_xnnpack" for layer in layers if layer.plain != "-")
        names += [(name, False) for name in dict.fromkeys(peers)]
    return [(name, name, ["--batch", str(args.batch), "--mark-region", f"--benchmark_filter=^{re.escape(name)}$"], ours)
            for name, ours in names]


def percent(value):
    return f"{100 * value:.0f}"


def row_of(layer, results, batch):
    seconds = results[layer.name]["one_core_seconds"]
    peer = layer.peer_seconds(results)
    return [f"{layer.op} {layer.shape}", layer.pass_, f"{1e3 * seconds:.2f}",
            percent(layer.flops / seconds / CORE_FLOPS) if layer.flops else "-",
            percent(layer.bound_seconds() / seconds), layer.bound(),
            percent(layer.bound_seconds() / peer) if peer else "-", f"{peer / seconds:.2f}" if peer else "-",
            f"{(peer + layer.passes_seconds(batch)) / seconds:.2f}" if peer else "-",
            ", ".join(layer.uses)]


def beside_xnnpack(layers, results):
    """Operators alone: a line on how they compare, and a row each."""
    rows, ratios = [], []
    for layer in sorted(layers, key=lambda l: (l.op, l.shape)):
        if (peer := layer.peer_seconds(results)) is None:
            continue
        seconds = results[layer.name]["one_core_seconds"]
        ratios.append(peer / seconds)
        rows.append([f"{layer.op} {layer.shape}", f"{1e3 * seconds:.2f}", percent(layer.bound_seconds() / seconds),
                     layer.bound(), percent(layer.bound_seconds() / peer), f"{peer / seconds:.2f}",
                     ", ".join(layer.uses)])
    if not ratios:
        fail("--alone: none of these operators has been measured beside XNNPACK's")
    slower = [sum(ratio < limit for ratio in ratios) for limit in (0.995, 0.95)]
    heading = ["operator", "ms", "% of roofline", "bound by", "XNNPACK % of roofline", "times as fast", "in"]
    return (f"{len(ratios)} operators, {statistics.geometric_mean(ratios):.2f} times as fast as XNNPACK's (geometric "
            f"mean); {slower[0]} slower, {slower[1]} by more than 5 %.\n\n{markdown(heading, rows)}")


def summary(layers, results, batch):
    shares, behind, fused_behind = defaultdict(list), defaultdict(int), defaultdict(int)
    for layer in layers:
        key, seconds = f"{layer.op} {layer.pass_}", results[layer.name]["one_core_seconds"]
        if layer.trained_so:
            shares[key].append(layer.bound_seconds() / seconds)
        if (peer := layer.peer_seconds(results)) is None:
            continue
        if layer.is_plain:
            behind[key] += peer < seconds
        else:
            fused_behind[key] += peer + layer.passes_seconds(batch) < seconds
    rows = [[key, str(len(of)), percent(min(of)), percent(statistics.median(of)), percent(max(of)), str(behind[key]),
             str(fused_behind[key])] for key, of in sorted(shares.items())]
    return markdown(["op, pass", "layers", "lowest %", "median %", "highest %", "alone slower than XNNPACK's",
                     "slower than it and its passes"], rows)


def steps(layers, updates, results, args):
    """Seconds a batch of 16 of each model whose layers have all been measured: their sum, updates at the bus' rate."""
    if args.filter:
        return ""
    models = set(args.models.split(",")) if args.models else {model for layer in layers for model in layer.uses}
    rows = []
    for model in sorted(models):
        if any(layer.uses.get(model) and layer.name not in results for layer in layers):
            continue
        of_updates = sum(layer.uses.get(model, 0) * layer.bytes / MEMORY_BYTES for layer in updates)
        sums = [of_updates + sum(layer.uses.get(model, 0) * results[layer.name][key] for layer in layers)
                for key in ("one_core_seconds", "four_core_seconds")]
        rows.append([model, *(f"{16 / args.batch * seconds:.2f}" for seconds in sums)])
    return ("Training steps as the sums of their layers, seconds a batch of 16:\n\n"
            + markdown(["model", "one core", "four cores"], rows) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser)
    parser.add_argument("--batch", type=int, default=4, help="images (%(default)s)")
    parser.add_argument("--filter", default="", help="a regular expression in the cases' names; sgd only if named")
    parser.add_argument("--models", default="", help="layers of these models, separated by commas")
    parser.add_argument("--ours", action="store_true", help="without XNNPACK")
    parser.add_argument("--alone", action="store_true", help="only the operators that XNNPACK has, alone, forward")
    args = parser.parse_args()
    runner = Runner(args, "kernels/bench_kernels")
    layers, updates = select(runner, args)
    results = runner.all(cases_of(layers, args))
    measured = [layer for layer in layers if layer.name in results]
    if args.alone:
        title = "# Convolutions and linear layers alone, forward, beside XNNPACK's, modelled on one core"
        return deliver(f"{title}\n\nBatch {args.batch}; made with `bench/layers.py --alone`.\n\n"
                       f"{beside_xnnpack(measured, results)}", args.out)
    rows = [row_of(layer, results, args.batch) for layer in sorted(measured, key=lambda l: (l.op, l.shape, l.pass_))]
    heading = ["layer", "pass", "ms", "% of fp32 peak", "% of roofline", "bound by", "XNNPACK % of roofline",
               "times as fast as XNNPACK", "… and its passes", "in"]
    deliver("# Single layers, modelled on one core of a Raspberry Pi 5\n\n"
            f"Batch {args.batch}; made with `bench/layers.py`, which says what the columns mean.\n\n"
            f"Shares of the roofline that were to be reached:\n\n{targets.table(measured, results, args.batch)}\n"
            "By op and pass:\n\n"
            f"{summary(measured, results, args.batch)}\n{steps(layers, updates, results, args)}"
            f"{markdown(heading, rows)}", args.out)


if __name__ == "__main__":
    run(main)
