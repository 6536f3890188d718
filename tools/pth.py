#!/usr/bin/env python3
"""Between PyTorch's .pth files and safetensors: the direction follows from the names. Needs torch.

    tools/pth.py checkpoint.pth.tar checkpoint.safetensors
    bramble convert checkpoint.safetensors model.safetensors --model resnet18 --class-names NAMES.txt
    tools/pth.py RUN/best.safetensors best.pth

A .pth file is a pickle, which can run any code when it is loaded. This reads tensors and plain Python values only
(torch.load's weights_only, from torch 1.13 on); a file that holds more is refused, --trust loads it all the same.
Nested dictionaries become names with dots ("state_dict.fc.bias"); `bramble convert` takes the model out of them.
"""
import argparse
import collections
import inspect
import json
import os
import pathlib
import pickle
import sys

import torch

DTYPES = {torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
          torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL"}


class Refused(Exception):
    """Its text is for the user."""


def write_atomically(path, write):
    """Calls write(file) for a file of another name, which gets `path` when all is on the disk."""
    path = pathlib.Path(path)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        with open(unfinished, "xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def to_bytes(tensor):
    tensor = tensor.detach().cpu().contiguous()
    return (tensor.view(torch.int16) if tensor.dtype == torch.bfloat16 else tensor).numpy().tobytes()


def write_safetensors(path, tensors, metadata):
    header, offset = {"__metadata__": metadata}, 0
    for name, tensor in tensors.items():
        if tensor.dtype not in DTYPES or tensor.layout != torch.strided:
            raise Refused(f"'{name}' is {tensor.dtype}, {tensor.layout}: safetensors files have no such tensors")
        size = tensor.numel() * tensor.element_size()
        header[name] = {"dtype": DTYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-(8 + len(text)) % 64)

    def write(file):
        file.write(len(text).to_bytes(8, "little") + text)
        for tensor in tensors.values():
            file.write(to_bytes(tensor))

    write_atomically(path, write)


def read_safetensors(path):
    """({name: tensor}, metadata)"""
    raw = pathlib.Path(path).read_bytes()
    begin = 8 + int.from_bytes(raw[:8], "little")
    try:
        header = json.loads(raw[8:begin])
        metadata, kinds = header.pop("__metadata__", {}), {name: kind for kind, name in DTYPES.items()}
        tensors = collections.OrderedDict()
        for name, entry in header.items():
            first, end = entry["data_offsets"]
            kind = kinds[entry["dtype"]]
            blob = bytearray(raw[begin + first:begin + end])
            flat = torch.frombuffer(blob, dtype=kind) if blob else torch.empty(0, dtype=kind)
            tensors[name] = flat.reshape(entry["shape"])
    except (ValueError, KeyError, AttributeError, TypeError, RuntimeError) as error:
        raise Refused(f"{path}: not a safetensors file: {error}") from error
    return tensors, metadata


def load_pth(path, trust=False):
    if trust:
        has_parameter = "weights_only" in inspect.signature(torch.load).parameters
        return torch.load(path, map_location="cpu", **({"weights_only": False} if has_parameter else {}))
    if "weights_only" not in inspect.signature(torch.load).parameters:
        raise Refused(f"torch {torch.__version__} cannot load a .pth file without running what it contains (1.13 is the "
                      "first that can); with --trust it is loaded all the same")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        reason = str(error).split("\n")[0].split("WeightsUnpickler error: ")[-1]
        raise Refused(f"{path}: holds more than tensors ({reason}); loading it could run any code. If you trust where "
                      "it comes from, --trust loads it") from error
    except (EOFError, RuntimeError, ValueError) as error:
        raise Refused(f"{path}: not a file of torch.save: {str(error).splitlines()[0] if str(error) else 'it is cut off'}") from error


def flatten(value, prefix=""):
    """The tensors of nested dictionaries; a module's are its state_dict's."""
    if isinstance(value, torch.nn.Module):
        value = value.state_dict()
    if isinstance(value, torch.Tensor):
        return {prefix: value}
    found = {}
    if isinstance(value, dict):
        for key, inner in value.items():
            found.update(flatten(inner, f"{prefix}.{key}" if prefix else str(key)))
    return found


def convert(source, target, trust):
    if source.suffix == ".safetensors":
        tensors, _ = read_safetensors(source)
        write_atomically(target, lambda file: torch.save(tensors, file))
    else:
        tensors = flatten(load_pth(source, trust))
        if not tensors:
            raise Refused(f"{source}: has no tensors")
        write_safetensors(target, tensors, {"format": "pt"})
    return len(tensors)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("target", type=pathlib.Path)
    parser.add_argument("--trust", action="store_true", help="load a .pth file that may run code")
    args = parser.parse_args()
    if (args.source.suffix == ".safetensors") == (args.target.suffix == ".safetensors"):
        parser.error("one of the two names has to end in .safetensors, the other not")
    try:
        count = convert(args.source, args.target, args.trust)
    except (Refused, OSError) as error:
        print(f"pth.py: error: {error}", file=sys.stderr)
        return 1
    print(f"{args.target}: {count} tensors")
    return 0


if __name__ == "__main__":
    sys.exit(main())
