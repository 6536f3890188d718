"""What single layers should reach on one core, and how many of them do; for layers.py.

Of operators alone, which no training step runs so, only depthwise convolutions count, in a class of their own: as trained,
they include passes of the BatchNorm beside them that their bound does not know.
"""
import re
import statistics
from collections import defaultdict

from modelled import markdown

DRAM_BOUND = ("batchnorm", "layernorm", "activation", "add")


def product(layer, batch):
    """(length of the sums, channels out) of a layer that is a matrix product; the shorter and the fewer of two."""
    if layer.op == "linear":
        rows, inputs, outputs = map(int, layer.shape.split("_")[:3])
        taps = stride = 1
    else:
        height, width, inputs, outputs, kernel_y, kernel_x, stride = (
            int(group or 0) for group in
            re.match(r"(\d+)x(\d+)_(\d+)(?:_(\d+))?_(\d+)x(\d+)(?:_s(\d+))?", layer.shape).groups())
        outputs, stride, taps = outputs or inputs, stride or 1, kernel_y * kernel_x
        rows = batch * height * width // stride ** 2
    by_pass = {"fwd": (taps * inputs, outputs), "bwd_data": (taps * outputs // stride ** 2, inputs),
               "bwd_weight": (rows, outputs), "bwd": (min(outputs, rows), min(inputs, outputs))}
    return by_pass[layer.pass_]


def target(layer, batch):
    """(class, percent of the roofline to reach); None where there is none."""
    if layer.op in ("conv2d", "linear", "pointwise_conv2d"):
        if layer.bound() == "memory":
            return "products bound by memory", None
        length, channels = product(layer, batch)
        if channels < 64 or length < 64:
            return "products of fewer than 64 terms or channels out", None
        return ("products, sums of 256 or more", 88) if length >= 256 else ("products, sums of 64 to 255", 84)
    if layer.op == "depthwise_conv2d":
        return "depthwise convolution, alone" if layer.alone else "depthwise convolution, as trained", 70
    if layer.op == "attention":
        return "attention in windows or with a bias" if "bias" in layer.shape else "attention", 75
    if layer.op in DRAM_BOUND:
        return "normalisation, activation, sum", 75
    return None


def table(layers, results, batch):
    """A line a class. The mean weighs each layer by its time in the steps that it is in."""
    classes = defaultdict(list)
    for layer in layers:
        if (of := target(layer, batch)) is not None and (layer.trained_so or layer.op == "depthwise_conv2d"):
            seconds = results[layer.name]["one_core_seconds"]
            classes[of].append((layer.bound_seconds() / seconds, (sum(layer.uses.values()) or 1) * seconds))
    rows = []
    for (name, percent), of in sorted(classes.items(), key=lambda item: item[0][0]):
        shares = [share for share, _ in of]
        mean = sum(share * weight for share, weight in of) / sum(weight for _, weight in of)
        reached = str(sum(100 * share >= percent for share in shares)) if percent else "-"
        rows.append([name, str(percent or "-"), str(len(of)), reached,
                     *(f"{100 * value:.0f}" for value in (min(shares), statistics.median(shares), mean))])
    return markdown(["class", "to reach, %", "layers", "reach it", "lowest %", "median %", "mean by time %"], rows)
