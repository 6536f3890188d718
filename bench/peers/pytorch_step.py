#!/usr/bin/env python3
"""Training steps of one model in PyTorch, timed; compare.py runs it. Prints {"seconds": [...], "source": ...}."""
import argparse
import json
import os
import sys
import time

import torch


def from_timm(name):
    import timm
    return timm.create_model(name, pretrained=False), f"timm {timm.__version__}"


def from_torchvision(model):
    """The same layers under other names, for the models that torchvision has."""
    import torchvision
    from torchvision import models

    def vit(width):
        return models.VisionTransformer(image_size=224, patch_size=16, num_layers=12, num_heads=width // 64,
                                        hidden_dim=width, mlp_dim=4 * width)
    makers = {"resnet18": models.resnet18, "resnet34": models.resnet34, "resnet50": models.resnet50,
              "mobilenetv2_100": models.mobilenet_v2, "mobilenetv2_050": lambda: models.mobilenet_v2(width_mult=0.5),
              "mnasnet_050": models.mnasnet0_5, "mnasnet_075": models.mnasnet0_75, "mnasnet_100": models.mnasnet1_0}
    for family in ("vit", "deit"):
        for size, width in (("tiny", 192), ("small", 384), ("base", 768)):
            makers[f"{family}_{size}"] = lambda width=width: vit(width)
    if model not in makers:
        sys.exit(f"neither timm nor torchvision has {model}: install timm (bench/peers/README.md)")
    return makers[model](), f"torchvision {torchvision.__version__}"


def make_model(args):
    try:
        return from_timm(args.timm_name)
    except ImportError:
        return from_torchvision(args.model)


def is_head(model, name):
    return name.startswith(("fc.", "classifier.", "head.", "heads.")) or (
        model.startswith("deit") and name.startswith("norm."))


def blas():
    """Which library multiplies matrices: Debian's torch takes any."""
    torch.mm(torch.ones(8, 8), torch.ones(8, 8))
    with open("/proc/self/maps") as maps:
        loaded = [os.path.realpath(line.split()[-1]) for line in maps if ".so" in line]
    for name in ("openblas", "mkl_rt", "blis"):
        if any(name in os.path.basename(path) for path in loaded):
            return name
    return "reference BLAS" if any("libblas.so" in path for path in loaded) else "built-in BLAS"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("timm_name")
    parser.add_argument("task", choices=("train", "head"))
    for name, default in (("batch", 16), ("size", 224), ("threads", 1), ("steps", 3), ("warmup", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    model, source = make_model(args)
    # The published protocol: BatchNorm in training mode also where only the head is trained.
    model.train()
    if args.task == "head":
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(is_head(args.model, name))
    optimiser = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    loss_of = torch.nn.CrossEntropyLoss()
    images, labels = torch.randn(args.batch, 3, args.size, args.size), torch.randint(0, 1000, (args.batch,))
    seconds = []
    for step in range(-args.warmup, args.steps):
        begin = time.perf_counter()
        optimiser.zero_grad()
        loss = loss_of(model(images), labels)
        loss.backward()
        optimiser.step()
        loss.item()
        if step >= 0:
            seconds.append(time.perf_counter() - begin)
    print(json.dumps({"seconds": seconds, "blas": blas(),
                      "source": f"PyTorch {torch.__version__}, {blas()}, {source}"}))


main()
