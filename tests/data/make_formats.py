#!/usr/bin/env python3
"""Writes formats.txt: what Pillow makes of PNGs of every kind, of turned photographs and of four-channel JPEGs.

Needs Pillow and, for the YCCK JPEG, libturbojpeg. Bytes as hex, pixels as RGB:
    png NAME FILE WIDTH HEIGHT PIXELS            Image.open(FILE).convert("RGB")
    upright ORIENTATION WIDTH HEIGHT PIXELS      ImageOps.exif_transpose of a 5 x 3 pattern with that orientation
    jpeg NAME FILE WIDTH HEIGHT PIXELS           as png
Grayscale of 16 bits is not Pillow's (it clips at 255) but the upper eight bits, as Pillow takes of RGB with 16 bits.
"""
import ctypes
import io
import os
import struct
import zlib

from PIL import Image, ImageOps

HERE = os.path.dirname(os.path.abspath(__file__))
WIDTH, HEIGHT = 9, 7
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
NAMES = {0: "gray", 2: "rgb", 3: "palette", 4: "gray_alpha", 6: "rgb_alpha"}
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def sample(x, y, channel, depth):
    return ((x * 2654435761 + y * 40503 + channel * 97) >> 3) % (1 << depth)


def packed_rows(columns, rows, colour, depth):
    """Unfiltered scan lines of the pixels at these columns and rows."""
    data = b""
    for y in rows:
        bits = "".join(format(sample(x, y, c, depth), f"0{depth}b") for x in columns for c in range(CHANNELS[colour]))
        bits += "0" * (-len(bits) % 8)
        data += b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big")
    return data


def make_png(colour, depth, interlaced=False, extra=b""):
    if interlaced:
        passes = [(range(x, WIDTH, dx), range(y, HEIGHT, dy)) for x, y, dx, dy in ADAM7]
        data = b"".join(packed_rows(columns, rows, colour, depth) for columns, rows in passes if columns and rows)
    else:
        data = packed_rows(range(WIDTH), range(HEIGHT), colour, depth)
    palette = b""
    if colour == 3:
        palette = chunk(b"PLTE", bytes((i * 73 + 11) % 256 for i in range(3 << depth)))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, colour, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + palette + extra + chunk(b"IDAT", zlib.compress(data)) +
            chunk(b"IEND", b""))


def pixels_of(file, colour, depth):
    if colour == 0 and depth == 16:
        return bytes(sample(x, y, 0, 16) >> 8 for y in range(HEIGHT) for x in range(WIDTH) for _ in range(3))
    return ImageOps.exif_transpose(Image.open(io.BytesIO(file))).convert("RGB").tobytes()


def exif(orientation):
    return b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0" + bytes([orientation]) + b"\0\0\0\0\0\0"


def png_lines():
    kinds = [(0, d) for d in (1, 2, 4, 8, 16)] + [(3, d) for d in (1, 2, 4, 8)] + [(c, d) for c in (2, 4, 6) for d in (8, 16)]
    files = [(f"{NAMES[c]}_{d}{'_interlaced' if i else ''}", make_png(c, d, i), c, d) for c, d in kinds for i in (False, True)]
    files += [("gray_8_transparent", make_png(0, 8, extra=chunk(b"tRNS", b"\0\x10")), 0, 8),
              ("rgb_8_transparent", make_png(2, 8, extra=chunk(b"tRNS", b"\0\x10\0\x20\0\x30")), 2, 8),
              ("palette_4_transparent", make_png(3, 4, extra=chunk(b"tRNS", bytes(range(0, 160, 10)))), 3, 4),
              ("rgb_8_gamma", make_png(2, 8, extra=chunk(b"gAMA", struct.pack(">I", 100000))), 2, 8)]
    for name, file, colour, depth in files:
        yield f"png {name} {file.hex()} {WIDTH} {HEIGHT} {pixels_of(file, colour, depth).hex()}"
    file = make_png(2, 8, extra=chunk(b"eXIf", exif(6)))
    yield f"png rgb_8_turned {file.hex()} {HEIGHT} {WIDTH} {pixels_of(file, 2, 8).hex()}"


def pattern(width, height):
    return Image.frombytes("RGB", (width, height), bytes(((i * 2654435761) >> 13) & 255 for i in range(width * height * 3)))


def upright_lines():
    for orientation in range(1, 9):
        image = pattern(5, 3)
        image.getexif()[0x0112] = orientation
        turned = ImageOps.exif_transpose(image)
        yield f"upright {orientation} {turned.width} {turned.height} {turned.tobytes().hex()}"


def ycck_jpeg(width, height, cmyk):
    """TurboJPEG stores four channels as YCCK."""
    turbo = ctypes.CDLL("libturbojpeg.so.0")
    turbo.tjInitCompress.restype = ctypes.c_void_p
    handle, out, size = ctypes.c_void_p(turbo.tjInitCompress()), ctypes.c_void_p(), ctypes.c_ulong()
    cmyk_format, no_subsampling, quality = 11, 0, 90
    assert turbo.tjCompress2(handle, cmyk, width, 0, height, cmyk_format, ctypes.byref(out), ctypes.byref(size), no_subsampling,
                             quality, 0) == 0
    return ctypes.string_at(out, size.value)


def jpeg_lines():
    image = pattern(16, 8).resize((32, 16), Image.BICUBIC)
    files = {"ycck": ycck_jpeg(32, 16, image.convert("CMYK").tobytes())}
    for name, mode in {"gray": "L", "cmyk": "CMYK"}.items():
        buffer = io.BytesIO()
        image.convert(mode).save(buffer, "JPEG", quality=90)
        files[name] = buffer.getvalue()
    for name, file in sorted(files.items()):
        pixels = Image.open(io.BytesIO(file)).convert("RGB").tobytes()
        yield f"jpeg {name} {file.hex()} 32 16 {pixels.hex()}"


def main():
    with open(os.path.join(HERE, "formats.txt"), "w") as out:
        for lines in (png_lines(), upright_lines(), jpeg_lines()):
            out.writelines(line + "\n" for line in lines)


main()
