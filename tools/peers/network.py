"""The network that all are given, as matrices and squares, and the images.

Every network of affine layers and two layers of quadratics a x^2 + b x + c is W3 s(W2 s(W1 x + b1) + b2) + b3 with s(x) = x^2:
a x^2 + b x + c = a (x + b / 2a)^2 + c - b^2 / 4a, the factor a and the constant go into the next layer. Velum reads the ONNX file itself;
the others get these matrices, which are the same network up to rounding.

    python network.py MODEL.onnx OUT.npz       writes w1, b1, w2, b2, w3, b3
"""
import gzip
import os
import struct
import sys

import numpy as np


def from_onnx(path):
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(path).graph
    w = {i.name: numpy_helper.to_array(i).astype(np.float64) for i in graph.initializer}
    shape = [d.dim_value for d in graph.input[0].type.tensor_type.shape.dim][1:]
    inputs = int(np.prod(shape))
    values = {graph.input[0].name: (np.eye(inputs).reshape([inputs] + shape), np.zeros([1] + shape))}
    squares, layers = {}, []

    def linear(name, f):
        return f(values[name][0], False), f(values[name][1], True)

    for node in graph.node:
        a, out = node.input, node.output[0]
        if node.op_type == "Conv":
            attr = {x.name: onnx.helper.get_attribute_value(x) for x in node.attribute}
            values[out] = linear(a[0], lambda x, constant: convolve(x, w[a[1]], attr["strides"], attr["pads"]))
        elif node.op_type == "Reshape":
            values[out] = linear(a[0], lambda x, constant: x.reshape(len(x), -1))
        elif node.op_type == "Gemm":
            bias = w[a[2]] if len(a) > 2 else 0
            values[out] = linear(a[0], lambda x, constant: x @ w[a[1]].T + (bias if constant else 0))
        elif node.op_type == "Mul" and a[0] == a[1]:
            squares[out] = {"of": a[0]}
        elif node.op_type == "Mul" and a[0] in squares:
            squares[out] = {"of": squares[a[0]]["of"], "a": w[a[1]]}
        elif node.op_type == "Mul":
            values[out] = linear(a[0], lambda x, constant: x * w[a[1]])
        elif node.op_type == "Add" and a[1] in w and a[0] in squares:
            squares[out] = dict(squares[a[0]], c=w[a[1]])
            close(squares[out], values, layers, out)
        elif node.op_type == "Add" and a[1] in w:
            values[out] = linear(a[0], lambda x, constant: x + (w[a[1]] if constant else 0))
        elif node.op_type == "Add":
            values_b = values[a[1]][0], values[squares[a[0]]["of"]][0]
            squares[out] = dict(squares[a[0]], b=ratio(*values_b))
        else:
            raise SystemExit(f"{path}: {node.op_type} is not a layer of such a network")
    matrix, constant = values[graph.output[0].name]
    layers.append((matrix.reshape(len(matrix), -1).T, constant.reshape(-1)))
    return layers


def ratio(scaled, plain):
    """Factors of the elements, from a linear map and its multiple."""
    at = np.abs(plain).argmax(axis=0)
    index = (at,) + tuple(np.indices(at.shape))
    return scaled[index] / plain[index]


def close(square, values, layers, out):
    """Ends a layer: the square's input becomes a map of its own, what follows begins with squares."""
    matrix, constant = (x.reshape(len(x), -1) for x in values[square["of"]])
    shape = values[square["of"]][1].shape[1:]
    a, b, c = (np.broadcast_to(square[k], shape).reshape(-1) for k in "abc")
    layers.append((matrix.T, constant[0] + b / (2 * a)))
    n = len(a)
    values[out] = (np.diag(a).reshape((n,) + shape), (c - b * b / (4 * a)).reshape((1,) + shape))


def convolve(x, weight, strides, pads):
    x = np.pad(x, ((0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])))
    kh, kw = weight.shape[2:]
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))[:, :, :: strides[0], :: strides[1]]
    return np.einsum("nchwij,ocij->nohw", windows, weight)


def convolution(layer, width, kernel, stride, pad):
    """Filters and biases of a layer that is a convolution of one channel, from an output amid the image."""
    w, b = layer
    side = (width + pad - kernel) // stride + 1
    channels, middle = len(b) // side**2, side // 2
    at = [c * side**2 + middle * side + middle for c in range(channels)]
    corner = middle * stride - pad
    filters = w[at].reshape(channels, 1, width, width)[:, :, corner : corner + kernel, corner : corner + kernel]
    assert np.allclose(convolve(np.eye(width**2).reshape(-1, 1, width, width), filters, (stride,) * 2, (pad, pad, 0, 0)).reshape(width**2, -1).T, w)
    assert np.allclose(np.repeat(b[at], side**2), b)
    return filters, b[at]


def clear(layers, images):
    x = images
    for k, (w, b) in enumerate(layers):
        x = x @ w.T + b
        if k + 1 < len(layers):
            x = x * x
    return x


def load(path):
    data = np.load(path)
    return [(data[f"w{k}"], data[f"b{k}"]) for k in (1, 2, 3)]


def mnist(folder, count):
    def idx(name):
        with gzip.open(os.path.join(folder, name)) as f:
            data = f.read()
        dims = struct.unpack(">I", data[:4])[0] & 255
        shape = struct.unpack(f">{dims}I", data[4 : 4 + 4 * dims])
        return np.frombuffer(data, np.uint8, offset=4 + 4 * dims).reshape(shape)

    images = idx("t10k-images-idx3-ubyte.gz")[:count].reshape(-1, 784) / 255.0
    return images, idx("t10k-labels-idx1-ubyte.gz")[:count]


if __name__ == "__main__":
    all_layers = from_onnx(sys.argv[1])
    np.savez(sys.argv[2], **{f"{n}{k + 1}": x for k, pair in enumerate(all_layers) for n, x in zip("wb", pair)})
