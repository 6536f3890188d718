#!/usr/bin/env python3
"""tools/pth.py there and back, and on files that are cut off or would run code. Needs torch.

usage: pth_test.py tools/pth.py"""
import pathlib
import subprocess
import sys
import tempfile

import torch

TENSORS = {
    "conv.weight": torch.arange(24, dtype=torch.float32).reshape(2, 3, 2, 2).permute(0, 1, 3, 2),  # not contiguous
    "half": torch.tensor([1.5, -65504.0], dtype=torch.float16),
    "brain": torch.tensor([1.5, 3e38], dtype=torch.bfloat16),
    "double": torch.tensor([[0.1]], dtype=torch.float64),
    "count": torch.tensor(7),
    "none": torch.empty(0, 4),
    "mask": torch.tensor([True, False]),
}


def run(*words):
    return subprocess.run([sys.executable, sys.argv[1], *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          universal_newlines=True)


def expect_refusal(source, target, message, code=1):
    result = run(source, target)
    assert result.returncode == code and message in result.stderr and "Traceback" not in result.stderr, result.stderr
    assert not target.exists() and not list(target.parent.glob(".*unfinished")), "nothing half-written"


def expect_same(found, expected):
    assert list(found) == list(expected), list(found)
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype and torch.equal(found[name], tensor), name


def check_there_and_back(root):
    torch.save({"epoch": 3, "state_dict": TENSORS, "note": "text"}, root / "a.pth.tar")
    result = run(root / "a.pth.tar", root / "a.safetensors")
    assert result.returncode == 0 and f"{len(TENSORS)} tensors" in result.stdout, result.stderr
    raw = (root / "a.safetensors").read_bytes()
    assert int.from_bytes(raw[:8], "little") % 64 == 56, "tensors begin on a multiple of 64"
    result = run(root / "a.safetensors", root / "b.pth")
    assert result.returncode == 0, result.stderr
    expect_same(torch.load(root / "b.pth"), {f"state_dict.{name}": tensor for name, tensor in TENSORS.items()})


def check_modules_state_dicts(root):
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    torch.save(model.state_dict(), root / "m.pth")
    assert run(root / "m.pth", root / "m.safetensors").returncode == 0
    assert run(root / "m.safetensors", root / "m2.pth").returncode == 0
    expect_same(torch.load(root / "m2.pth"), model.state_dict())
    model.load_state_dict(torch.load(root / "m2.pth"), strict=True)


class Harmful:
    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return pathlib.Path.touch, (self.file,)


def check_refusals(root):
    target = root / "refused" / "out.safetensors"
    target.parent.mkdir()
    torch.save({"state_dict": {"w": torch.ones(1)}, "args": Harmful(root / "ran")}, root / "harmful.pth")
    expect_refusal(root / "harmful.pth", target, "--trust")
    assert not (root / "ran").exists(), "it ran"
    whole = (root / "a.pth.tar").read_bytes()
    for length in (0, 10, len(whole) // 2, len(whole) - 1):
        (root / "cut.pth").write_bytes(whole[:length])
        expect_refusal(root / "cut.pth", target, "cut.pth")
    torch.save({"epoch": 3}, root / "empty.pth")
    expect_refusal(root / "empty.pth", target, "has no tensors")
    expect_refusal(root / "missing.pth", target, "missing.pth")
    expect_refusal(root / "a.pth.tar", root / "refused" / "b.pth", "safetensors", code=2)
    (root / "cut.safetensors").write_bytes((root / "a.safetensors").read_bytes()[:100])
    expect_refusal(root / "cut.safetensors", root / "refused" / "c.pth", "not a safetensors file")
    trusted = run(root / "harmful.pth", target, "--trust")
    assert trusted.returncode == 0 and (root / "ran").exists(), trusted.stderr


def main():
    with tempfile.TemporaryDirectory() as folder:
        for check in (check_there_and_back, check_modules_state_dicts, check_refusals):
            check(pathlib.Path(folder))


main()
