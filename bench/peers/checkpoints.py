#!/usr/bin/env python3
"""Takes checkpoints from PyTorch to Bramble and back, for the smallest model of every family, and compares logits.

timm's random initialisation, and running statistics of a few training steps, go through a .pth file, tools/pth.py and
`bramble convert` into `bramble predict`; what `bramble train` writes after one step goes into PyTorch with
load_state_dict(strict=True), once as a safetensors file and once as the .pth of tools/pth.py. Needs what finetune.py
needs, and for FasterViT the package fastervit.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile
import time

import torch

import finetune

pth = finetune.pth
TOLERANCE = 2e-4  # of the logits' norm, as for tests/golden


def build(info, classes):
    if info["family"] == "FasterViT":
        import fastervit
        return fastervit.create_model(info["timm"], num_classes=classes)
    import timm
    return timm.create_model(info["timm"], num_classes=classes)


def with_statistics(model, images):
    """Running means and variances that are neither 0 and 1 nor the batch's alone."""
    model.train()
    with torch.no_grad():
        for scale in (0.5, 1.0, 1.5):
            model(images * scale)
        for parameter in model.parameters():  # timm initialises some with 0, which would hide what they multiply
            parameter.add_(0.02 * torch.randn_like(parameter))
    return model.eval()


def run(*command):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise RuntimeError(done.stdout.decode(errors="replace").strip().splitlines()[-1])


def check(info, args, images, classes, folder):
    """(PyTorch's checkpoint here, our safetensors in PyTorch, our .pth in PyTorch): deviations of the logits."""
    torch.manual_seed(0)
    model = build(info, len(classes))
    transform = finetune.evaluation_transform(model, 224)
    inputs = torch.stack([finetune.load(path, transform) for path in images])
    with_statistics(model, inputs)
    torch.save({"epoch": 3, "state_dict": {f"module.{key}": value for key, value in model.state_dict().items()}},
               folder / "theirs.pth")
    run(sys.executable, finetune.ROOT / "tools" / "pth.py", folder / "theirs.pth", folder / "theirs.safetensors")
    run(args.bramble, "convert", folder / "theirs.safetensors", folder / "init.safetensors", "--model", info["name"],
        "--class-names", folder / "classes.txt")
    with torch.no_grad():
        theirs = finetune.relative(finetune.bramble_logits(args, folder / "init.safetensors", images), model(inputs))

    run(args.bramble, "train", "--model", info["name"], "--data", args.data, "--init", folder / "init.safetensors", "--out",
        folder / "run", "--steps", 1, "--batch", 2, "--lr", 1e-3, "--val-split", 0)
    trained = folder / "run" / "model.safetensors"
    run(sys.executable, finetune.ROOT / "tools" / "pth.py", trained, folder / "ours.pth")
    expected = finetune.bramble_logits(args, trained, images)
    ours = []
    for state in (pth.read_safetensors(trained)[0], torch.load(folder / "ours.pth")):
        model.load_state_dict(state, strict=True)
        model.train().eval()  # EfficientFormer forgets its old table of biases in train() alone
        with torch.no_grad():
            ours.append(finetune.relative(expected, model(inputs)))
    return theirs, *ours


class Harmful:
    """Pickled as a call, as an attacker would."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return pathlib.Path.touch, (self.file,)


def refuses_code():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        torch.save({"state_dict": {}, "args": Harmful(folder / "ran")}, folder / "harmful.pth")
        try:
            run(sys.executable, finetune.ROOT / "tools" / "pth.py", folder / "harmful.pth", folder / "out.safetensors")
        except RuntimeError as error:
            print(f"a .pth file that would run code: {error}".replace(name, ""))
            return not (folder / "ran").exists() and not (folder / "out.safetensors").exists()
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bramble", default=str(finetune.ROOT / "build/host/tools/bramble"))
    parser.add_argument("--data", type=pathlib.Path, default=finetune.ROOT / "tests" / "photos",
                        help="folder of class folders of JPEGs")
    parser.add_argument("--models", help="with commas between; the default is the smallest of each family")
    args = parser.parse_args()
    torch.set_num_threads(1)

    smallest = {}
    for info in finetune.models(args.bramble):
        if not info["timm"]:
            continue  # cifar10.py's
        if args.models is None:
            best = smallest.setdefault(info["family"], info)
            smallest[info["family"]] = min(best, info, key=lambda one: one["parameters"])
        elif info["name"] in args.models.split(","):
            smallest[info["name"]] = info
    classes, samples = finetune.samples_of(args.data)
    images = [samples[0][0], samples[-1][0]]
    good = refuses_code()
    print(f"{'family':14} {'model':22} {'theirs here':>12} {'ours there':>12} {'ours, .pth':>12}")
    for info in smallest.values():
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "classes.txt").write_text("".join(f"{one}\n" for one in classes))
            begin = time.time()
            try:
                deviations = check(info, args, images, classes, folder)
                outside = max(deviations) > TOLERANCE
                text = " ".join(f"{deviation:12.1e}" for deviation in deviations)
            except Exception as error:  # one family that fails must not hide the others
                outside, text = True, f"{type(error).__name__}: {error}".replace("\n", " ")[:200]
        good &= not outside
        print(f"{info['family']:14} {info['name']:22} {text}{'   OUTSIDE' if outside else ''}   ({time.time() - begin:.0f} s)",
              flush=True)
    print("pass" if good else "FAIL")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
