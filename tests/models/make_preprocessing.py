#!/usr/bin/env python3
"""Prints preprocessing.txt: timm 0.9's default_cfg of each model. Needs timm.

usage: tests/models/make_preprocessing.py build/host/tools/bramble > tests/models/preprocessing.txt
Lines: MODEL MEAN STD CROP_PCT INTERPOLATION. FasterViT's are those of the package fastervit 0.9 (faster_vit.py, default_cfgs).
"""
import json
import subprocess
import sys

import timm

FASTER_VIT_CROP_PCT = {"faster_vit_0": 0.875, "faster_vit_1": 1.0, "faster_vit_2": 1.0, "faster_vit_3": 1.0}


def main():
    models = json.loads(subprocess.run([sys.argv[1], "models", "--json"], check=True, stdout=subprocess.PIPE).stdout)
    for model in models:
        name = model["name"]
        if name in FASTER_VIT_CROP_PCT:
            values = [(0.485, 0.456, 0.406), (0.229, 0.224, 0.225), FASTER_VIT_CROP_PCT[name], "bicubic"]
        else:
            cfg = timm.models.get_pretrained_cfg(model["timm"])
            values = [cfg.mean, cfg.std, cfg.crop_pct, cfg.interpolation]
        print(name, *(",".join(map(str, value)) if isinstance(value, tuple) else value for value in values))


main()
