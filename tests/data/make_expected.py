#!/usr/bin/env python3
"""Writes expected.txt and cmyk.jpg: what Pillow and torchvision's rules make of the photographs. Needs Pillow.

Lines of expected.txt, pixels as hex of RGB bytes:
    photo PATH SIZE PIXELS                 Resize(SIZE), CenterCrop(SIZE) of a file
    pattern WIDTH HEIGHT SIZE PIXELS       the same of a made-up image, which needs no JPEG decoder
    pattern-hash WIDTH HEIGHT SIZE FNV     its 64-bit FNV-1a where the pixels are many
    bicubic WIDTH HEIGHT SHORT SIZE FNV    Resize(SHORT, bicubic), CenterCrop(SIZE)
"""
import os
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
PHOTOS = os.path.join(HERE, "..", "photos")


def resize_and_crop(image, size, short=None, interpolation=Image.BILINEAR):
    """torchvision.transforms.functional's resize(short or size) and center_crop(size) on a PIL image."""
    w, h = image.size
    short = short or size
    if w <= h:
        w, h = short, int(short * h / w)
    else:
        w, h = int(short * w / h), short
    image = image.resize((w, h), interpolation)
    left, top = int(round((w - size) / 2.0)), int(round((h - size) / 2.0))
    return image.crop((left, top, left + size, top + size))


def pattern(width, height):
    """Bytes that differ a lot from one pixel to the next."""
    data = bytes(((i * 2654435761) >> 13) & 255 for i in range(width * height * 3))
    return Image.frombytes("RGB", (width, height), data)


def fnv(data):
    h = 0xcbf29ce484222325
    for b in data:
        h = ((h ^ b) * 0x100000001b3) & ((1 << 64) - 1)
    return h


def main():
    lines = []
    photos = sorted(os.path.join(c, f) for c in os.listdir(PHOTOS) for f in os.listdir(os.path.join(PHOTOS, c)))
    for path in photos:
        image = Image.open(os.path.join(PHOTOS, path)).convert("RGB")
        lines.append(f"photo {path} 12 {resize_and_crop(image, 12).tobytes().hex()}")
    cmyk = os.path.join(HERE, "cmyk.jpg")
    source = Image.open(os.path.join(PHOTOS, photos[0])).convert("CMYK").resize((48, 40))
    source.save(cmyk, quality=85)
    lines.append(f"photo ../data/cmyk.jpg 12 {resize_and_crop(Image.open(cmyk).convert('RGB'), 12).tobytes().hex()}")
    for w, h, size in [(1, 1, 3), (3, 1, 1), (7, 5, 5), (5, 9, 4), (8, 8, 8), (13, 30, 7), (31, 10, 9), (4, 3, 10)]:
        lines.append(f"pattern {w} {h} {size} {resize_and_crop(pattern(w, h), size).tobytes().hex()}")
    for w, h, size in [(500, 375, 224), (375, 501, 224), (224, 225, 224), (100, 90, 224), (1201, 500, 192), (224, 224, 224)]:
        lines.append(f"pattern-hash {w} {h} {size} {fnv(resize_and_crop(pattern(w, h), size).tobytes()):x}")
    for w, h, short, size in [(1, 1, 3, 3), (5, 9, 4, 3), (13, 30, 7, 7), (100, 90, 131, 128), (500, 375, 256, 224), (375, 501, 235, 224)]:
        pixels = resize_and_crop(pattern(w, h), size, short, Image.BICUBIC).tobytes()
        lines.append(f"bicubic {w} {h} {short} {size} {fnv(pixels):x}")
    with open(os.path.join(HERE, "expected.txt"), "w") as out:
        out.write("\n".join(lines) + "\n")


main()
