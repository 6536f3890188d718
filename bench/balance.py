#!/usr/bin/env python3
"""How evenly a training step's work is divided among a Pi 5's four cores: each op's largest over its mean share.

    bench/balance.py --models resnet50,vit_tiny --tasks train

One thread runs one step under pi5model/, which counts each task's instructions and cache misses; dealing the tasks to
four equal cores in order, each to the core that is free first, is what four threads do that take them as they come.
Unlike the threads' own times on a PC it gives the same figures on any machine, however busy. An op that needs several
phases, with a barrier after each, has the sums of the phases' largest and mean shares; serial phases are those of a
single task. Needs the cross build, qemu-user, llvm-19 and a C compiler.
"""
import argparse

from modelled import CORES, Runner, add_options, deliver, fail, markdown, run


def dealt(tasks):
    """The busiest core's time."""
    free_at = [0.0] * CORES
    for task in tasks:
        core = free_at.index(min(free_at))
        free_at[core] += task
    return max(free_at)


def nodes_of(result):
    """[op, layer, busiest core's seconds, mean seconds, serial seconds] of each node, in order."""
    events = [event for event in result["report"]["traceEvents"] if event["ph"] == "X"]
    phases = [tasks for tasks in result["tasks"] if tasks]
    if len(events) != len(phases) or any(e["args"]["of"] != len(p) for e, p in zip(events, phases)):
        fail("the trace and the counts of the tasks do not fit")
    nodes = []
    for event, tasks in zip(events, phases):
        if event["args"]["phase"] == 0 or not nodes:
            nodes.append([event["cat"], event["name"], 0.0, 0.0, 0.0])
        nodes[-1][2] += dealt(tasks)
        nodes[-1][3] += sum(tasks) / CORES
        nodes[-1][4] += tasks[0] if len(tasks) == 1 else 0
    return nodes


def section(title, nodes, least):
    total = sum(node[2] for node in nodes)
    shown = sorted((node for node in nodes if node[2] >= least / 1e3), key=lambda node: -node[2] / node[3])
    rows = [[op, layer, f"{1e3 * largest:.1f}", f"{largest / mean:.3f}"] for op, layer, largest, mean, _ in shown]
    uneven, serial = (100 * sum(of) / total for of in zip(*[(n[2] - n[3], n[4]) for n in nodes]))
    alone = sorted((node for node in nodes if node[4]), key=lambda node: -node[4])[:5]
    most = "; most of them: " + ", ".join(f"{n[0]} {n[1]} {1e3 * n[4]:.2f} ms" for n in alone) if alone else ""
    over = sum(node[2] / node[3] > 1.05 for node in shown)
    return (f"## {title}\n\n{over} of {len(shown)} ops above {least:g} ms are divided worse than 1.05. "
            f"Uneven division costs {uneven:.1f} % of the step, serial phases are {serial:.2f} % of it{most}.\n\n" +
            markdown(["op", "layer", "ms", "largest / mean"], rows))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser)
    parser.add_argument("--models", default="resnet50,vit_tiny", help="separated by commas (%(default)s)")
    parser.add_argument("--tasks", default="train", help="train, head or both (%(default)s)")
    parser.add_argument("--batch", type=int, default=4, help="images (%(default)s)")
    parser.add_argument("--least", type=float, default=1, help="milliseconds of the ops that are shown (%(default)s)")
    args = parser.parse_args()
    runner = Runner(args, "bench_models")
    cases = []
    for model in args.models.split(","):
        for task in args.tasks.split(","):
            title = f"{model} {task}, batch {args.batch}"
            arguments = ["--models", model, "--tasks", task, "--batch", str(args.batch), "--in-memory", "--steps", "1",
                         "--warmup", "0", "--threads", "1", "--mark-tasks"]
            cases.append((title, title, arguments, True, "--trace", True))
    results = runner.all(cases)
    deliver("# Division of work among four cores, modelled\n\nMade with `bench/balance.py`.\n\n" +
            "\n".join(section(title, nodes_of(result), args.least) for title, result in results.items()), args.out)


if __name__ == "__main__":
    run(main)
