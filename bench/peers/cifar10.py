#!/usr/bin/env python3
"""Trains resnet9_025 on CIFAR-10 in Bramble and in PyTorch and holds the test accuracy of every epoch side by side.

    bench/peers/cifar10.py --data CIFAR --out RUN --svg bench/cifar10.svg

The same parameters at the start, the same pictures in the same order (without augmentation), the same settings. CIFAR
holds train/CLASS and test/CLASS with pictures. Bramble's run, RUN/bramble, is continued if it is there. Passes if the
accuracies at the end are within 1 point. Needs torch and Pillow, with the libjpeg-turbo that Bramble links for JPEGs.
"""
import argparse
import csv
import json
import math
import pathlib
import subprocess
import sys
import time

import numpy
import PIL.Image
import torch

from bramble_data import ROOT, batches_of, pth, samples_of
from resnet9 import ResNet9

MODEL = "resnet9_025"
MEAN, DEVIATION = torch.tensor([0.4914, 0.4822, 0.4465]), torch.tensor([0.2470, 0.2435, 0.2616])
MOMENTUM = 0.9


def load(folder):
    """(the classes, bytes [N, 32, 32, 3], labels)"""
    classes, samples = samples_of(folder)
    images = numpy.stack([numpy.asarray(PIL.Image.open(path).convert("RGB")) for path, _ in samples])
    return classes, torch.from_numpy(images), torch.tensor([label for _, label in samples])


def normalised(images):
    return ((images.float() / 255 - MEAN) / DEVIATION).permute(0, 3, 1, 2).contiguous()


def steps_of(epochs, count, args):
    return math.ceil(epochs * count / args.batch)


def learning_rate(step, count, args):
    """engine/training/schedule.cc's cosine."""
    warmup, steps = steps_of(args.warmup_epochs, count, args), steps_of(args.epochs, count, args)
    if step < warmup:
        return args.lr * (step + 1) / warmup
    return args.lr * 0.5 * (1 + math.cos(math.pi * min(1, (step - warmup) / max(1, steps - warmup))))


def accuracy(model, images, labels):
    model.eval()
    with torch.no_grad():
        right = sum((model(normalised(images[i:i + 500])).argmax(1) == labels[i:i + 500]).sum().item()
                    for i in range(0, len(labels), 500))
    model.train()
    return right / len(labels)


def train_in_pytorch(model, train, test, args):
    """[(mean training loss, test accuracy)] of the epochs"""
    images, labels = train
    groups = [{"params": [p for p in model.parameters() if p.dim() > 1], "weight_decay": args.weight_decay},
              {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0}]
    optimizer = torch.optim.SGD(groups, lr=args.lr, momentum=MOMENTUM, nesterov=True)
    losses, curve, begin = [], [], time.time()
    steps = steps_of(args.epochs, len(labels), args)
    for step, chosen in enumerate(batches_of(len(labels), 0, steps, args.batch)):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, len(labels), args)
        loss = torch.nn.functional.cross_entropy(model(normalised(images[chosen])), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if (step + 1) * args.batch // len(labels) != step * args.batch // len(labels) or step + 1 == steps:
            curve.append((sum(losses) / len(losses), accuracy(model, *test)))
            print(f"PyTorch: epoch {len(curve)}  train loss {curve[-1][0]:.4f}  test top-1 {100 * curve[-1][1]:.2f} %  "
                  f"{time.time() - begin:.0f} s", file=sys.stderr, flush=True)
            losses = []
    return curve


def train_in_bramble(init, args):
    out = args.out / "bramble"
    if (out / "config.json").exists():
        command = [args.bramble, "train", "--resume", "--out", out]
    else:
        command = [args.bramble, "train", "--model", MODEL, "--data", args.data, "--init", init, "--out", out, "--size", 32,
                   "--augment", "none", "--nesterov", "--momentum", MOMENTUM]
        for name in ("epochs", "batch", "lr", "weight_decay", "warmup_epochs"):
            command += [f"--{name.replace('_', '-')}", getattr(args, name)]
    subprocess.run([str(word) for word in command + ["--threads", args.threads]], check=True, stdout=sys.stderr)
    with open(out / "metrics.csv", newline="") as file:
        return [(float(row["train_loss"]), float(row["val_top1"])) for row in csv.DictReader(file)]


def curves_svg(curves):
    """Test accuracy against epochs; `curves`: {name: accuracies}."""
    left, top, width, height = 50, 20, 440, 240
    everything = [value for values in curves.values() for value in values]
    low, high = math.floor(10 * min(everything)) / 10, math.ceil(10 * max(everything)) / 10
    epochs = max(len(values) for values in curves.values())

    def x(epoch):
        return left + width * (epoch - 1) / max(1, epochs - 1)

    def y(value):
        return top + height * (high - value) / (high - low)

    parts = ['<svg xmlns="http://www.w3.org/2000/svg" width="520" height="320" font-family="sans-serif" font-size="12">',
             '<rect width="520" height="320" fill="white"/>']
    for percent in range(round(100 * low), round(100 * high) + 1, 5):
        parts += [f'<path d="M{left} {y(percent / 100):.1f}h{width}" stroke="#ddd"/>',
                  f'<text x="{left - 6}" y="{y(percent / 100) + 4:.1f}" text-anchor="end">{percent} %</text>']
    for epoch in range(1, epochs + 1):
        parts.append(f'<text x="{x(epoch):.1f}" y="{top + height + 18}" text-anchor="middle">{epoch}</text>')
    parts.append(f'<text x="{left + width / 2}" y="{top + height + 38}" text-anchor="middle">epochs, test accuracy</text>')
    for number, ((name, values), color) in enumerate(zip(curves.items(), ("#c51d4a", "#1f77b4"))):
        points = " ".join(f"{x(epoch):.1f},{y(value):.1f}" for epoch, value in enumerate(values, 1))
        dash = ' stroke-dasharray="6 4"' if number else ""
        parts += [f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"{dash}/>',
                  f'<text x="{left + width - 90}" y="{top + height - 40 + 18 * number}" fill="{color}">{name}</text>']
    return "\n".join([*parts, "</svg>", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bramble", default=str(ROOT / "build/host/tools/bramble"))
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder with train/CLASS and test/CLASS")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder for the runs")
    parser.add_argument("--svg", type=pathlib.Path, help="draw the curves")
    parser.add_argument("--epochs", type=int, default=5, help="(%(default)s)")
    parser.add_argument("--batch", type=int, default=64, help="(%(default)s)")
    parser.add_argument("--lr", type=float, default=0.1, help="the highest rate (%(default)s)")
    parser.add_argument("--weight-decay", type=float, default=5e-4, help="(%(default)s)")
    parser.add_argument("--warmup-epochs", type=float, default=1, help="(%(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="of both (%(default)s)")
    args = parser.parse_args()

    torch.manual_seed(0)
    torch.set_num_threads(args.threads)
    model = ResNet9().train()
    classes, *train = load(args.data / "train")
    _, *test = load(args.data / "test")
    args.out.mkdir(parents=True, exist_ok=True)
    init = args.out / "init.safetensors"
    pth.write_safetensors(init, model.state_dict(), {"format": "pt", "bramble.model": MODEL, "bramble.size": "32",
                                                     "bramble.classes": json.dumps(classes)})
    ours = train_in_bramble(init, args)
    theirs = train_in_pytorch(model, train, test, args)
    print("| epoch | train loss, Bramble | PyTorch | test accuracy, Bramble | PyTorch | difference |\n|---|---|---|---|---|---|")
    for epoch, (a, b) in enumerate(zip(ours, theirs), 1):
        print(f"| {epoch} | {a[0]:.4f} | {b[0]:.4f} | {100 * a[1]:.2f} % | {100 * b[1]:.2f} % | {100 * (a[1] - b[1]):+.2f} |")
    if args.svg:
        args.svg.write_text(curves_svg({"Bramble": [one[1] for one in ours], "PyTorch": [one[1] for one in theirs]}))
    good = len(ours) == len(theirs) and abs(ours[-1][1] - theirs[-1][1]) <= 0.01
    print("pass" if good else "FAIL: the accuracies at the end are more than 1 point apart")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
