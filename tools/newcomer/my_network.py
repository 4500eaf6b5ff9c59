#!/usr/bin/env python3
"""What a newcomer brings: a folder of images of their own and a PyTorch network trained on it. my_network.py FOLDER

FOLDER/images/{train,test}/{disc,ring,cross}/NNN.png are 40 by 40 pixels in colour; FOLDER/shapes.onnx is the network, exported
with torch.onnx.export's defaults. It is example 02's export.py with another network(), other images and a mean and a
deviation for each channel. Needs torch, onnx, onnxscript, numpy and pillow.
"""
import pathlib
import sys

import numpy as np
import torch
from PIL import Image
from torch import nn

SIDE, CLASSES = 40, ["cross", "disc", "ring"]  # sorted, as torchvision's ImageFolder has them
MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


def draw(kind, rng):
    """[SIDE, SIDE, 3] bytes: the shape in one colour on another."""
    y, x = np.mgrid[:SIDE, :SIDE] - rng.uniform(16, 24, (2, 1, 1))
    size, pen = rng.uniform(9, 14), rng.uniform(2, 3.5)
    radius = np.hypot(x, y)
    shape = {"disc": radius < size, "ring": abs(radius - size) < pen,
             "cross": ((abs(x - y) < 1.4 * pen) | (abs(x + y) < 1.4 * pen)) & (radius < size)}[kind]
    ground, ink = rng.uniform(0, 110, 3), rng.uniform(150, 255, 3)
    pixels = np.where(shape[..., None], ink, ground) + rng.normal(0, 12, (SIDE, SIDE, 3))
    return pixels.clip(0, 255).astype(np.uint8)


class Quadratic(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.a = nn.Parameter(torch.full((1, channels, 1, 1), 0.1))
        self.b = nn.Parameter(torch.full((1, channels, 1, 1), 0.5))

    def forward(self, x):
        return self.a * x * x + self.b * x


def network():
    return nn.Sequential(nn.Conv2d(3, 12, 5, stride=2, padding=2), nn.BatchNorm2d(12), Quadratic(12), nn.AvgPool2d(2),
                         nn.Conv2d(12, 24, 3, padding=1), nn.BatchNorm2d(24), Quadratic(24), nn.AvgPool2d(2),
                         nn.Flatten(), nn.Linear(24 * 5 * 5, len(CLASSES)))


def main():
    folder, rng = pathlib.Path(sys.argv[1]), np.random.default_rng(1)
    torch.manual_seed(1)
    sets = {}
    for split, count in (("train", 150), ("test", 40)):
        images, labels = [], []
        for label, kind in enumerate(CLASSES):
            home = folder / "images" / split / kind
            home.mkdir(parents=True)
            for i in range(count):
                images.append(draw(kind, rng))
                labels.append(label)
                Image.fromarray(images[-1]).save(home / f"{i:03}.png")
        x = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255
        sets[split] = (x - MEAN[:, None, None]) / STD[:, None, None], torch.tensor(labels)
    x, y = sets["train"]
    net = network()
    optimiser = torch.optim.Adam(net.parameters(), 2e-3)
    for _ in range(15):
        for batch in torch.randperm(len(x)).split(32):
            optimiser.zero_grad()
            nn.functional.cross_entropy(net(x[batch]), y[batch]).backward()
            optimiser.step()
    net.eval()
    torch.onnx.export(net, (x[:1],), str(folder / "shapes.onnx"))
    x, y = sets["test"]
    with torch.no_grad():
        print(f"PyTorch: {(net(x).argmax(1) == y).float().mean():.4f} of the test images right")


if __name__ == "__main__":
    main()
