#!/usr/bin/env python3
"""Trains a small PyTorch network on a folder of images and exports it, as anybody would: export.py IMAGES OUT

IMAGES has a folder for each class (`make_images.py` of example 03 draws one). Written are OUT/net.onnx, by
torch.onnx.export with its defaults (the weights may lie in net.onnx.data beside it), and OUT/expected.csv: what PyTorch
itself computes for the images of IMAGES/test, one row an image in the order of the file names.

Needs `pip install torch onnx onnxscript pillow numpy`.
"""
import csv
import pathlib
import sys

import numpy as np
import torch
from PIL import Image
from torch import nn

# As torchvision.transforms.Normalize has them for MNIST. Velum is told the same two numbers.
MEAN, STD = 0.1307, 0.3081


class Quadratic(nn.Module):
    """a x^2 + b x + c by channel: what a network that runs encrypted has in place of ReLU."""

    def __init__(self, channels):
        super().__init__()
        shape = (1, channels, 1, 1)
        self.a = nn.Parameter(torch.full(shape, 0.1))
        self.b = nn.Parameter(torch.full(shape, 0.5))
        self.c = nn.Parameter(torch.zeros(shape))

    def forward(self, x):
        return self.a * x * x + self.b * x + self.c


def network():
    return nn.Sequential(nn.Conv2d(1, 8, 5, stride=2, padding=1), nn.BatchNorm2d(8), Quadratic(8),
                         nn.Flatten(), nn.Linear(8 * 13 * 13, 10))


def read(folder):
    """Normalised images [N, 1, 28, 28] and their classes."""
    paths = sorted(folder.glob("*/*.png"), key=lambda p: (int(p.parent.name), p.name))
    pixels = np.stack([np.asarray(Image.open(p).convert("L"), np.float32) / 255 for p in paths])[:, None]
    return torch.from_numpy((pixels - MEAN) / STD), torch.tensor([int(p.parent.name) for p in paths])


def main():
    images, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    torch.manual_seed(1)
    x, y = read(images / "train")
    net = network()
    optimiser = torch.optim.Adam(net.parameters(), 2e-3, weight_decay=1e-3)
    for _ in range(12):
        for batch in torch.randperm(len(x)).split(32):
            optimiser.zero_grad()
            nn.functional.cross_entropy(net(x[batch]), y[batch]).backward()
            optimiser.step()
    net.eval()

    out.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(net, (x[:1],), str(out / "net.onnx"))

    test, labels = read(images / "test")
    with torch.no_grad():
        outputs = net(test)
    with open(out / "expected.csv", "w", newline="") as file:
        csv.writer(file).writerows([[f"{v:.6f}" for v in row] for row in outputs.tolist()])
    print(f"PyTorch {torch.__version__}: {(outputs.argmax(1) == labels).sum()} of {len(test)} test images right")


if __name__ == "__main__":
    main()
