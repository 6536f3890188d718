#!/usr/bin/env python3
"""Makes CIFAR's binary version, which `bramble train` reads, of its version for Python (the one torchvision downloads).

usage: tools/cifar_to_binary.py FOLDER OUT      FOLDER: cifar-10-batches-py or cifar-100-python

Python objects can run code when they are read; this reads arrays, lists, texts and numbers only and refuses all else.
Needs nothing but Python.
"""
import os
import pickle
import sys

PIXELS = 3072
LAYOUTS = {  # file of Python objects: binary file
    "batches.meta": {**{f"data_batch_{i}": f"data_batch_{i}.bin" for i in range(1, 6)}, "test_batch": "test_batch.bin"},
    "meta": {"train": "train.bin", "test": "test.bin"},
}
NAMES = {b"label_names": "batches.meta.txt", b"coarse_label_names": "coarse_label_names.txt",
         b"fine_label_names": "fine_label_names.txt"}


class Array:
    """Stands for numpy.ndarray: keeps the bytes."""

    def __setstate__(self, state):
        _, self.shape, _, column_major, self.data = state
        if column_major:
            raise ValueError("an array by columns")


class Dtype:
    """Stands for numpy.dtype: only its name matters, and that it is bytes."""

    def __init__(self, name, *_):
        if name not in ("u1", b"u1", "uint8"):
            raise ValueError(f"an array of {name} instead of bytes")

    def __setstate__(self, state):
        pass


class Reader(pickle.Unpickler):
    allowed = {
        ("numpy.core.multiarray", "_reconstruct"): lambda *_: Array(),
        ("numpy._core.multiarray", "_reconstruct"): lambda *_: Array(),
        ("numpy", "ndarray"): Array,
        ("numpy", "dtype"): Dtype,
        ("_codecs", "encode"): lambda text, _: text.encode("latin1"),
    }

    def find_class(self, module, name):
        if (module, name) not in self.allowed:
            raise ValueError(f"refuses {module}.{name}")
        return self.allowed[module, name]


def read(path):
    with open(path, "rb") as file:
        content = Reader(file, encoding="bytes").load()
    return {key if isinstance(key, bytes) else key.encode(): value for key, value in content.items()}


def records(batch):
    data, fine = batch[b"data"].data, batch.get(b"labels", batch.get(b"fine_labels"))
    if not isinstance(data, bytes) or len(data) != PIXELS * len(fine):
        raise ValueError(f"{len(data)} bytes of pixels for {len(fine)} labels")
    for i, label in enumerate(fine):
        coarse = [batch[b"coarse_labels"][i]] if b"coarse_labels" in batch else []
        yield bytes([*coarse, label]) + data[i * PIXELS:(i + 1) * PIXELS]


def write(path, chunks):
    temporary = path + ".tmp"
    with open(temporary, "wb") as out:
        out.writelines(chunks)
        out.flush()
        os.fsync(out.fileno())
    os.replace(temporary, path)
    print(path)


def convert(folder, out):
    meta = next((name for name in LAYOUTS if os.path.exists(os.path.join(folder, name))), None)
    if meta is None:
        raise ValueError(f"{folder}: holds neither batches.meta (CIFAR-10) nor meta (CIFAR-100)")
    os.makedirs(out, exist_ok=True)
    for key, value in read(os.path.join(folder, meta)).items():
        if key in NAMES:
            lines = [(name if isinstance(name, bytes) else name.encode()) + b"\n" for name in value]
            write(os.path.join(out, NAMES[key]), lines)
    for source, target in LAYOUTS[meta].items():
        path = os.path.join(folder, source)
        try:
            batch = read(path)
            write(os.path.join(out, target), records(batch))
        except (pickle.UnpicklingError, ValueError, KeyError, TypeError, AttributeError, EOFError, IndexError) as error:
            raise ValueError(f"{path}: not a batch of CIFAR's ({error})") from error


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        convert(*sys.argv[1:])
    except (OSError, ValueError) as error:
        sys.exit(f"bramble: error: {error}")


if __name__ == "__main__":
    main()
