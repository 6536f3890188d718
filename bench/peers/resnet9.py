"""models/resnet9.cc in PyTorch, with the same names.

tests/golden/cifar/resnet9_025.json holds what it computes, by the rule of the other golden files."""
import torch
from torch import nn


class Layer(nn.Module):
    """Convolution, BatchNorm, ReLU; then halved, then a residual of two more layers, where asked for."""

    def __init__(self, channels_in, channels, halving=False, residual=False):
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(channels)
        self.halving, self.residual = halving, residual
        if residual:
            self.res1 = Layer(channels, channels)
            self.res2 = Layer(channels, channels)

    def forward(self, x):
        x = torch.relu(self.bn(self.conv(x)))
        if self.halving:
            x = nn.functional.max_pool2d(x, 2)
        return x + self.res2(self.res1(x)) if self.residual else x


class ResNet9(nn.Module):
    def __init__(self, num_classes=10, width=16):
        super().__init__()
        self.prep = Layer(3, width)
        self.layer1 = Layer(width, 2 * width, halving=True, residual=True)
        self.layer2 = Layer(2 * width, 4 * width, halving=True)
        self.layer3 = Layer(4 * width, 8 * width, halving=True, residual=True)
        self.fc = nn.Linear(8 * width, num_classes)

    def forward(self, x):
        return self.fc(self.layer3(self.layer2(self.layer1(self.prep(x)))).mean((2, 3)))
