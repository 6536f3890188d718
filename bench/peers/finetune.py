#!/usr/bin/env python3
"""Holds `bramble train` and `bramble predict` against PyTorch on the same photographs, step by step.

Needs torch, torchvision, timm 0.9 and Pillow with the libjpeg-turbo that Bramble links. Writes its own safetensors files.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import PIL.Image
import PIL.ImageOps
import timm
import torch

from bramble_data import ROOT, batches_of, pth, samples_of


def evaluation_transform(model, size):
    """What timm evaluates the model with."""
    config = timm.data.resolve_data_config({"input_size": (3, size, size)}, model=model)
    return timm.data.create_transform(**config)


def load(path, transform):
    return transform(PIL.ImageOps.exif_transpose(PIL.Image.open(path)).convert("RGB"))


def batches(samples, args):
    cache = {}
    for chosen in batches_of(len(samples), 0, args.steps, args.batch):
        for i in chosen:
            if i not in cache:
                cache[i] = load(samples[i][0], args.transform)
        yield torch.stack([cache[i] for i in chosen]), torch.tensor([samples[i][1] for i in chosen])


def pytorch_losses(model, samples, head, args):
    model.train()
    if args.bn == "frozen":
        for module in model.modules():
            if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
                module.eval()
    for name, parameter in model.named_parameters():
        parameter.requires_grad = not args.head_only or name in head
    trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    plain = [p for name, p in trained if p.dim() < 2 or name.endswith(("pos_embed", "cls_token"))]
    decayed = [p for name, p in trained if not any(p is q for q in plain)]
    groups = [{"params": decayed, "weight_decay": args.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    kind = {"sgd": lambda: torch.optim.SGD(groups, lr=args.lr, momentum=0.9), "adamw": lambda: torch.optim.AdamW(groups, lr=args.lr)}
    optimizer = kind[args.optimizer]()
    losses, dtype = [], next(model.parameters()).dtype
    for images, labels in batches(samples, args):
        loss = torch.nn.functional.cross_entropy(model(images.to(dtype)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def models(bramble):
    return json.loads(subprocess.run([bramble, "models", "--json"], check=True, stdout=subprocess.PIPE).stdout)


def bramble_logits(args, checkpoint, images):
    run = subprocess.run([args.bramble, "predict", "--json", str(checkpoint), *map(str, images)], check=True, stdout=subprocess.PIPE)
    return torch.tensor([json.loads(line)["logits"] for line in run.stdout.decode().splitlines()])


def relative(found, expected):
    return ((found - expected).norm() / expected.norm()).item()


def compare_logits(label, args, checkpoint, model, images):
    model.eval()
    with torch.no_grad():
        expected = model(torch.stack([load(path, args.transform) for path in images]))
    deviation = relative(bramble_logits(args, checkpoint, images), expected)
    print(f"{label}: logits deviate by {deviation:.1e}")
    return deviation < 2e-4


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bramble", default="build/host/tools/bramble")
    parser.add_argument("--model", default="resnet18", help="Bramble's name")
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder with train/CLASS/*.jpg and val/CLASS/*.jpg")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--lr", type=float, default=0.001)
    parser.add_argument("--weight-decay", type=float, default=1e-4)
    parser.add_argument("--optimizer", choices=("sgd", "adamw"), default="sgd")
    parser.add_argument("--head-only", action="store_true")
    parser.add_argument("--bn", choices=("train", "frozen"), default="train", help="frozen is PyTorch's bn.eval()")
    args = parser.parse_args()

    info = next(entry for entry in models(args.bramble) if entry["name"] == args.model)
    classes, samples = samples_of(args.data / "train")
    images = [path for path, _ in samples_of(args.data / "val")[1]][:8]
    torch.manual_seed(0)
    torch.set_num_threads(1)

    def build():
        return timm.create_model(info["timm"], num_classes=len(classes))

    model = build()
    args.transform = evaluation_transform(model, args.size)
    good = True
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        initial = {key: value.clone() for key, value in model.state_dict().items()}
        metadata = {"format": "pt", "bramble.model": args.model, "bramble.size": str(args.size),
                    "bramble.classes": json.dumps(classes)}
        pth.write_safetensors(folder / "init.safetensors", initial, metadata)
        good &= compare_logits("PyTorch's checkpoint here", args, folder / "init.safetensors", model, images)

        command = [args.bramble, "train", "--model", args.model, "--data", args.data, "--init", folder / "init.safetensors",
                   "--out", folder / "run", "--augment", "none", "--schedule", "constant", "--steps", args.steps, "--batch",
                   args.batch, "--size", args.size, "--lr", args.lr, "--weight-decay", args.weight_decay, "--optimizer",
                   args.optimizer, "--bn", args.bn] + (["--head-only"] if args.head_only else [])
        subprocess.run([str(word) for word in command], check=True, stdout=sys.stderr)
        lines = map(json.loads, (folder / "run" / "metrics.jsonl").read_text().splitlines())
        ours = [line["loss"] for line in lines if "loss" in line]

        single = pytorch_losses(model, samples, info["head_keys"], args)
        exact = build().double()
        exact.load_state_dict(initial)
        double = pytorch_losses(exact, samples, info["head_keys"], args)
        print("step   bramble   PyTorch float32   float64   deviation   tolerance")
        for step, (a, b, c) in enumerate(zip(ours, single, double), 1):
            scale = max(abs(c), 1e-3)
            tolerance = max(20 * abs(b - c) / scale, 2e-4)
            good &= abs(a - c) / scale <= tolerance
            print(f"{step:4d} {a:9.6f} {b:17.6f} {c:9.6f} {abs(a - c) / scale:11.1e} {tolerance:11.1e}"
                  + ("" if abs(a - c) / scale <= tolerance else "   OUTSIDE"))

        ours_in_pytorch = build()
        ours_in_pytorch.load_state_dict(pth.read_safetensors(folder / "run" / "model.safetensors")[0])
        good &= compare_logits("our checkpoint in PyTorch", args, folder / "run" / "model.safetensors", ours_in_pytorch, images)
    print("pass" if good else "FAIL")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
