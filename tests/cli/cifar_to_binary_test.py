#!/usr/bin/env python3
"""tools/cifar_to_binary.py on batches as CIFAR's Python version has them, and on ones that would run code. Needs no numpy."""
import pathlib
import pickle
import struct
import subprocess
import sys
import tempfile

PIXELS = 3072


def text(value):
    """A str of Python 2."""
    return b"T" + struct.pack("<I", len(value)) + value


def numpy_bytes(rows, data):
    """What numpy of Python 2 pickles for a [rows, 3072] array of bytes."""
    return (b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\nt" + text(b"b") + b"tR(I1\n" +
            b"(I%d\nI%d\nt" % (rows, PIXELS) + b"cnumpy\ndtype\n(" + text(b"u1") + b"I0\nI1\ntR(I3\n" + text(b"|") +
            b"NNNI-1\nI-1\nI0\ntb" + b"I00\n" + text(data) + b"tb")


def mapping(entries):
    return b"\x80\x02}(" + b"".join(text(key) + value for key, value in entries.items()) + b"u."


def numbers(values):
    return b"](" + b"".join(b"I%d\n" % value for value in values) + b"e"


def texts(values):
    return b"](" + b"".join(map(text, values)) + b"e"


def convert(folder, out):
    return subprocess.run([sys.executable, sys.argv[1], str(folder), str(out)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          universal_newlines=True)


def pixels(seed):
    return bytes((seed * 7 + i * 13) % 256 for i in range(2 * PIXELS))


def check_cifar10(root):
    folder = root / "py"
    folder.mkdir()
    names = [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]
    for seed, name in enumerate(names):
        batch = {b"data": numpy_bytes(2, pixels(seed)), b"labels": numbers([seed, 9])}
        (folder / name).write_bytes(mapping(batch))
    (folder / "batches.meta").write_bytes(mapping({b"label_names": texts([b"airplane", b"truck"])}))
    result = convert(folder, root / "bin")
    assert result.returncode == 0, result.stderr
    for seed, name in enumerate(names):
        expected = bytes([seed]) + pixels(seed)[:PIXELS] + bytes([9]) + pixels(seed)[PIXELS:]
        assert (root / "bin" / f"{name}.bin").read_bytes() == expected, name
    assert (root / "bin" / "batches.meta.txt").read_text() == "airplane\ntruck\n"


def check_cifar100(root):
    folder = root / "py100"
    folder.mkdir()
    for name in ("train", "test"):
        batch = {b"data": numpy_bytes(2, pixels(1)), b"fine_labels": numbers([99, 3]), b"coarse_labels": numbers([19, 0])}
        (folder / name).write_bytes(mapping(batch))
    (folder / "meta").write_bytes(mapping({b"fine_label_names": texts([b"apple"]), b"coarse_label_names": texts([b"fish"])}))
    result = convert(folder, root / "bin100")
    assert result.returncode == 0, result.stderr
    expected = bytes([19, 99]) + pixels(1)[:PIXELS] + bytes([0, 3]) + pixels(1)[PIXELS:]
    assert (root / "bin100" / "test.bin").read_bytes() == expected


class Evil:
    def __reduce__(self):
        return exec, ("import sys; sys.exit('it ran')",)


def check_refusals(root):
    folder = root / "bad"
    folder.mkdir()
    assert "holds neither" in convert(folder, root / "out").stderr
    (folder / "meta").write_bytes(mapping({}))
    for content in (pickle.dumps({b"data": Evil()}), b"", b"\x80\x02}", mapping({b"fine_labels": numbers([1])}),
                    mapping({b"data": numpy_bytes(2, pixels(0)[:-1]), b"fine_labels": numbers([1, 2])})):
        (folder / "train").write_bytes(content)
        result = convert(folder, root / "out")
        assert result.returncode == 1 and "bramble: error: " in result.stderr and "it ran" not in result.stderr, result.stderr
        assert not (root / "out" / "train.bin").exists()


def main():
    with tempfile.TemporaryDirectory() as folder:
        for check in (check_cifar10, check_cifar100, check_refusals):
            check(pathlib.Path(folder))


main()
