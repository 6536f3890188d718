#!/usr/bin/env python3
"""Writes augment.txt: what Pillow, torchvision and timm make of a made-up image. Needs Pillow, torchvision, timm 0.9.

    op NAME ARGUMENT PIXELS                  timm's or torchvision's op on scene(), as hex of RGB bytes
    affine NAME ARGUMENT FILTER PIXELS       the ops that resample, with the fill 10, 200, 30
    level NAME MAGNITUDE SIGN ARGUMENT       timm's argument of a RandAugment op; SIGN: whether the sign drawn is negative
    rand NAME                                the ops of rand-m9-mstd0.5-inc1, in their order
"""
import os
import random

from PIL import Image
from timm.data import auto_augment as timm_ops
from torchvision.transforms import functional as torchvision_ops

HERE = os.path.dirname(os.path.abspath(__file__))
WIDTH, HEIGHT = 17, 13
HPARAMS = {"translate_pct": 0.45}
FILL = (10, 200, 30)


def scene():
    """Smooth, with a bright corner and some noise: augment_test's scene()."""
    data = bytearray()
    for y in range(HEIGHT):
        for x in range(WIDTH):
            for c in range(3):
                noise = ((x * 7919 + y * 104729 + c * 1299709) >> 3) % 23
                data.append(min(255, 20 + noise + x * (4 + 3 * c) + y * (9 - 3 * c)))
    return Image.frombytes("RGB", (WIDTH, HEIGHT), bytes(data))


def op_lines():
    image = scene()
    flat = Image.new("RGB", (WIDTH, HEIGHT), (90, 90, 90))
    ops = [("autocontrast", 0, timm_ops.auto_contrast(image)), ("equalize", 0, timm_ops.equalize(image)),
           ("invert", 0, timm_ops.invert(image))]
    ops += [("posterize", bits, timm_ops.posterize(image, bits)) for bits in (0, 1, 3, 4)]
    ops += [("solarize", threshold, timm_ops.solarize(image, threshold)) for threshold in (0, 26, 128, 256)]
    ops += [("solarize_add", add, timm_ops.solarize_add(image, add)) for add in (0, 40, 110)]
    for factor in (0.0, 0.1, 0.63, 1.0, 1.37, 1.9):
        ops += [("brightness", factor, torchvision_ops.adjust_brightness(image, factor)),
                ("contrast", factor, torchvision_ops.adjust_contrast(image, factor)),
                ("saturation", factor, torchvision_ops.adjust_saturation(image, factor)),
                ("sharpness", factor, torchvision_ops.adjust_sharpness(image, factor))]
        assert torchvision_ops.adjust_sharpness(image, factor).tobytes() == timm_ops.sharpness(image, factor).tobytes()
    ops += [("hue", turn, torchvision_ops.adjust_hue(image, turn)) for turn in (-0.5, -0.1, 0.0, 0.05, 0.31, 0.5)]
    for name, argument, result in ops:
        yield f"op {name} {argument} {result.tobytes().hex()}"
    for name, result in [("autocontrast", timm_ops.auto_contrast(flat)), ("equalize", timm_ops.equalize(flat))]:
        assert result.tobytes() == flat.tobytes(), name


def affine_lines():
    image = scene()
    ops = {"rotate": (timm_ops.rotate, (-30, -4.2, 0, 17.5, 29.3)), "shear_x": (timm_ops.shear_x, (-0.3, 0.0, 0.26)),
           "shear_y": (timm_ops.shear_y, (-0.27, 0.3)), "translate_x": (timm_ops.translate_x_rel, (-0.45, 0.2)),
           "translate_y": (timm_ops.translate_y_rel, (-0.11, 0.44))}
    for name, (op, arguments) in ops.items():
        for argument in arguments:
            for label, resample in (("bilinear", Image.BILINEAR), ("bicubic", Image.BICUBIC)):
                result = op(image, argument, resample=resample, fillcolor=FILL)
                yield f"affine {name} {argument} {label} {result.tobytes().hex()}"


def level_lines():
    for name in timm_ops._RAND_INCREASING_TRANSFORMS:
        yield f"rand {name}"
        level = timm_ops.LEVEL_TO_ARG[name]
        for magnitude in (0, 3.7, 8.61, 9, 10):
            for negative in (0, 1):
                # timm negates where random.random() > 0.5.
                random.random = lambda: 0.9 if negative else 0.1
                arguments = level(magnitude, HPARAMS) if level else (0,)
                yield f"level {name} {magnitude} {negative} {float(arguments[0])!r}"


def main():
    with open(os.path.join(HERE, "augment.txt"), "w") as out:
        for lines in (op_lines(), affine_lines(), level_lines()):
            out.writelines(line + "\n" for line in lines)


main()
