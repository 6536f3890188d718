"""The order in which `bramble train` sees a folder's pictures, and tools/pth.py as a module."""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import pth  # noqa: E402,F401

MASK = (1 << 64) - 1


def order_of_epoch(count, seed, epoch):
    """engine/data/loader.cc's: splitmix64 and Fisher-Yates."""
    state = (seed * 0xD1342543DE82EF95 + epoch * 0xDA942042E4DD58B5) & MASK
    order = list(range(count))
    for i in range(count, 1, -1):
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        j = (z ^ (z >> 31)) % i
        order[i - 1], order[j] = order[j], order[i - 1]
    return order


def batches_of(count, seed, steps, batch):
    """The samples of each step: epochs follow one another without a gap, so that a batch may hold the end of one and the
    beginning of the next."""
    stream, epoch = [], 0
    for _ in range(steps):
        while len(stream) < batch:
            stream += order_of_epoch(count, seed, epoch)
            epoch += 1
        yield stream[:batch]
        del stream[:batch]


def samples_of(folder):
    """(the classes, [(file, label)])"""
    classes = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
    return classes, [(path, label) for label, name in enumerate(classes) for path in sorted((folder / name).iterdir())]
