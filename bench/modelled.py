"""What layers.py and models.py share: programs under pi5model, each result kept, so that an interrupted run goes on
where it was. A result is kept under a hash of what made it: the program, its arguments, the model."""
import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
PI5MODEL = HERE / "pi5model" / "pi5model"
CORE_FLOPS = 38.4e9     # a Pi 5's: fp32, a core
CORES = 4
MEMORY_BYTES = 11e9     # a second, all cores together


def fail(message):
    print(f"bramble: error: {message}", file=sys.stderr)
    sys.exit(1)


def add_options(parser):
    default_cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bramble" / "modelled"
    parser.add_argument("--build", type=Path, default=HERE.parent / "build" / "cross-pi5",
                        help="the cross build's folder (%(default)s)")
    parser.add_argument("--cache", type=Path, default=default_cache, help="where results are kept (%(default)s)")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time (%(default)s)")
    parser.add_argument("--kept", action="store_true", help="measure nothing more, show what there is")
    parser.add_argument("--out", type=Path, help="write the table to this file as well")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter


class Runner:
    """Runs one of the cross build's programs."""

    def __init__(self, args, name):
        self.program = args.build / "bench" / name
        if not self.program.exists():
            fail(f"{self.program}: no such program; build the cross build first (README.md), or name it with --build")
        self.args, self.done, self.total = args, 0, 0
        self.tool_hash = self._hash(PI5MODEL, PI5MODEL.with_name("plugin.c"))
        self.program_hash = self._hash(self.program)

    @staticmethod
    def _hash(*files):
        digest = hashlib.sha256()
        for file in files:
            digest.update(file.read_bytes())
        return digest.hexdigest()

    def output(self, arguments):
        """What the program prints, in qemu without the model."""
        return subprocess.run(["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", "-cpu", "cortex-a76", self.program,
                               *arguments], check=True, capture_output=True, text=True).stdout

    def all(self, cases):
        """{key: result} for cases of (key, label, arguments, whether the program's hash matters, the option that makes
        it write a JSON report, whether its tasks' seconds are wanted); the last three may be left out. With --kept, of
        those that have been measured."""
        self.done, self.total = 0, len(cases)
        with ThreadPoolExecutor(self.args.jobs) as pool:
            results = pool.map(lambda case: (case[0], self._one(*case[1:])), cases)
            return {key: result for key, result in results if result is not None}

    def _one(self, label, arguments, of_the_program=True, json_option=None, with_tasks=False):
        parts = [self.tool_hash, self.program_hash if of_the_program else "a peer", self.program.name, *arguments]
        kept = self.args.cache / (hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32] + ".json")
        started = time.monotonic()
        if kept.exists():
            result, how = json.loads(kept.read_text()), "kept"
        elif self.args.kept:
            return None
        else:
            result, how = self._run(label, arguments, json_option, with_tasks), f"{time.monotonic() - started:.0f} s"
            self.args.cache.mkdir(parents=True, exist_ok=True)
            partial = kept.with_suffix(f".{os.getpid()}.{id(result)}")
            partial.write_text(json.dumps(result | {"label": label}))
            partial.rename(kept)
        self.done += 1
        print(f"[{self.done}/{self.total}] {label}: {1e3 * result['one_core_seconds']:.2f} ms on one core ({how})",
              file=sys.stderr, flush=True)
        return result

    def _run(self, label, arguments, json_option, with_tasks):
        with tempfile.TemporaryDirectory(prefix="bramble-modelled-") as folder:
            report, tasks = Path(folder) / "report.json", Path(folder) / "tasks.json"
            extra = [json_option, report] if json_option else []
            options = ["--json", *(["--tasks", tasks] if with_tasks else [])]
            done = subprocess.run([PI5MODEL, *options, "--", self.program, *arguments, *extra], capture_output=True,
                                  text=True)
            lines = [line for line in done.stdout.splitlines() if line.startswith("{\"instructions\"")]
            if done.returncode or not lines:
                fail(f"{label}: pi5model failed: {(done.stderr.strip().splitlines() or ['no output'])[-1]}")
            result = json.loads(lines[-1])
            if json_option:
                result["report"] = json.loads(report.read_text())
            if with_tasks:
                result["tasks"] = json.loads(tasks.read_text())
            return result


def markdown(heading, rows):
    """The first column to the left, numbers to the right."""
    lines = ["| " + " | ".join(heading) + " |", "|---" + "|---:" * (len(heading) - 1) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def deliver(text, out):
    print(text, end="")
    if out:
        partial = out.with_name(out.name + ".partial")
        partial.write_text(text)
        partial.rename(out)


def run(main):
    """One line for what goes wrong, as Bramble's programs have it."""
    try:
        main()
    except KeyboardInterrupt:
        print("bramble: interrupted", file=sys.stderr)
        sys.exit(130)
    except (OSError, subprocess.CalledProcessError) as error:
        fail(error)
