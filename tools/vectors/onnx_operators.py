#!/usr/bin/env python3
"""Writes tests/vectors/onnx: small networks, one for each side of every change of an operator's meaning, with the outputs of
ONNX Runtime. Needs the packages onnx and onnxruntime in a virtual environment; the project's tests need only what it wrote.

  python3 tools/vectors/onnx_operators.py [FOLDER]

NAME.onnx is the network. cases.txt has three lines a network: its name, the number of images, of inputs and of outputs an
image; the inputs; the outputs, images one after the other. ONNX Runtime starts at opset 7: what opset 6 means is computed with
the same network as opset 7 writes it (`as_new`).
"""
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
IMAGES = 2
CASES = {}
FLOAT = TensorProto.FLOAT


def node(op, inputs, outputs, **attributes):
    return helper.make_node(op, inputs.split() if isinstance(inputs, str) else inputs, outputs.split(), **attributes)


def tensor(name, values, dtype=np.float32):
    return numpy_helper.from_array(np.asarray(values, dtype=dtype), name)


def ints(name, *values):
    return tensor(name, values, np.int64)


def floats(name, *shape, seed=1, low=-1.0, high=1.0):
    values = np.random.RandomState(seed).uniform(low, high, shape)
    return tensor(name, np.round(values * 64) / 64)


def build(opset, shape, nodes, initialisers, kind=FLOAT, batch="N", functions=(), outputs=("y",)):
    x = helper.make_tensor_value_info("x", kind, ([batch] if batch is not None else []) + list(shape))
    ys = [helper.make_tensor_value_info(y, FLOAT, None) for y in outputs]
    graph = helper.make_graph(nodes, "case", [x], ys, initialisers)
    sets = [helper.make_opsetid("", opset)] + [helper.make_opsetid(f.domain, 1) for f in functions]
    return helper.make_model(graph, opset_imports=sets, functions=list(functions), ir_version=8 if opset < 20 else 10)


def case(name, opset, shape, nodes, *initialisers, as_new=None, low=-1.0, high=1.0, **more):
    assert name not in CASES, name
    model = build(opset, shape, nodes, initialisers, **more)
    CASES[name] = (model, as_new or model, shape, low, high)


def as_new(opset, shape, nodes, *initialisers):
    return build(opset, shape, nodes, initialisers)


def arithmetic():
    c3 = floats("c", 3)
    for op in ("Add", "Mul"):
        new = as_new(7, (3, 2, 2), [node("Unsqueeze", "c", "d", axes=[1, 2]), node(op, "x d", "y")], c3)
        case(f"{op.lower()}_6_axis", 6, (3, 2, 2), [node(op, "x c", "y", broadcast=1, axis=1)], c3, as_new=new)
    case("sub_7", 7, (3, 2, 2), [node("Sub", "c x", "y")], floats("c", 3, 1, 1))
    case("div_14", 14, (4,), [node("Div", "x c", "y")], floats("c", 4, low=1, high=2))
    case("div_of_images_13", 13, (4,), [node("Add", "x c", "h"), node("Div", "k h", "y")], tensor("c", 3.0), tensor("k", [1, 2, 3, 4]))
    case("add_broadcasts_images_13", 13, (2, 3, 3), [node("GlobalAveragePool", "x", "p"), node("Sub", "x p", "y")])
    case("gate_13", 13, (2, 3, 3), [node("GlobalAveragePool", "x", "p"), node("Mul", "x p", "y")])
    case("mean_of_three_13", 13, (4,), [node("Neg", "x", "n"), node("Mean", "x n c", "y")], floats("c", 4))
    case("max_min_13", 13, (4,), [node("Max", "x c", "h"), node("Min", "h d", "y")], tensor("c", -0.25), floats("d", 4))
    case("pow_cubic_15", 15, (4,), [node("Pow", "x e", "y")], tensor("e", 3.0))
    case("pow_integer_13", 13, (4,), [node("Pow", "x e", "y")], tensor("e", 2, np.int64))
    case("pow_root_13", 13, (4,), [node("Pow", "x e", "y")], tensor("e", 1.5), low=0.1, high=2)


def normalisation():
    bn = [floats("s", 3), floats("b", 3, seed=2), floats("m", 3, seed=3), floats("v", 3, seed=4, low=0.5, high=2)]
    new = as_new(9, (3, 2, 2), [node("BatchNormalization", "x s b m v", "y", epsilon=0.01)], *bn)
    case("bn_6", 6, (3, 2, 2), [node("BatchNormalization", "x s b m v", "y", epsilon=0.01, is_test=1)], *bn, as_new=new)
    by_element = [floats(n, 3, 2, 2, seed=i, low=0.5, high=2) for i, n in enumerate("sbmv")]
    scale = [node("Sub", "x m", "c"), node("Add", "v e", "w"), node("Sqrt", "w", "d"), node("Div", "c d", "n"), node("Mul", "n s", "k"), node("Add", "k b", "y")]
    new = as_new(9, (3, 2, 2), scale, *by_element, tensor("e", 1e-5))
    case("bn_7_by_element", 7, (3, 2, 2), [node("BatchNormalization", "x s b m v", "y", spatial=0)], *by_element, as_new=new)
    for opset in (9, 14, 15):
        case(f"bn_{opset}", opset, (3, 2, 2), [node("BatchNormalization", "x s b m v", "y")], *bn)
    case("bn_vector_13", 13, (3,), [node("BatchNormalization", "x s b m v", "y")], *bn)
    case("instance_norm_13", 13, (3, 2, 3), [node("InstanceNormalization", "x s b", "y", epsilon=0.01)], *bn[:2])
    group = [floats("s", 2), floats("b", 2, seed=2)]
    channel = [floats("s", 4), floats("b", 4, seed=2)]
    case("group_norm_18", 18, (4, 2, 2), [node("GroupNormalization", "x s b", "y", num_groups=2)], *group)
    case("group_norm_21", 21, (4, 2, 2), [node("GroupNormalization", "x s b", "y", num_groups=2)], *channel)
    case("layer_norm_17", 17, (3, 4), [node("LayerNormalization", "x s b", "y", axis=-1)], *channel)
    case("layer_norm_17_two_axes", 17, (3, 4), [node("LayerNormalization", "x s", "y", axis=1)], floats("s", 3, 4))
    case("rms_norm_23", 23, (3, 4), [node("RMSNormalization", "x s", "y")], channel[0])
    case("lrn_13", 13, (5, 2, 2), [node("LRN", "x", "y", size=3, alpha=0.5, beta=0.6, bias=2.0)])
    case("mvn_13", 13, (3, 2, 2), [node("MeanVarianceNormalization", "x", "y", axes=[2, 3])])


def activations():
    for op, opset, attributes in (
            ("Asinh", 22, {}), ("Cosh", 9, {}), ("Shrink", 9, {"lambd": 1.0, "bias": 0.5}), ("Sinh", 9, {}), ("Tan", 7, {}),
            ("Abs", 13, {}), ("Celu", 12, {"alpha": 0.5}), ("Elu", 13, {"alpha": 0.7}), ("Erf", 13, {}), ("Exp", 13, {}), ("Floor", 13, {}), ("Ceil", 13, {}),
            ("Gelu", 20, {}), ("HardSigmoid", 13, {}), ("HardSwish", 14, {}), ("LeakyRelu", 13, {}), ("LeakyRelu", 16, {"alpha": 0.3}),
            ("Mish", 18, {}), ("Relu", 14, {}), ("Round", 13, {}), ("Selu", 13, {}), ("Sigmoid", 13, {}), ("Sign", 13, {}), ("Softplus", 13, {}), ("Softsign", 13, {}),
            ("Tanh", 13, {}), ("ThresholdedRelu", 13, {"alpha": 0.4})):
        case(f"{op.lower()}_{opset}", opset, (6,), [node(op, "x", "h", **attributes), node("Neg", "h", "y")], low=-4, high=4)
    for op, opset, low, high in (("Acos", 7, -1, 1), ("Acosh", 22, 1, 4), ("Asin", 22, -1, 1), ("Atanh", 9, -0.9, 0.9)):
        case(f"{op.lower()}_{opset}", opset, (6,), [node(op, "x", "h"), node("Neg", "h", "y")], low=low, high=high)
    case("xor_7", 7, (4,), [node("Greater", "x t", "g"), node("Less", "x u", "l"), node("Xor", "g l", "o"), node("Cast", "o", "y", to=FLOAT)], tensor("t", -0.25), tensor("u", 0.25))
    case("activations_of_constants_16", 16, (4,), [node("LeakyRelu", "c", "d", alpha=0.25), node("HardSigmoid", "d", "e", alpha=0.5), node("Elu", "c", "f"), node("Add", "e f", "g"),
                                                   node("Clip", ["g", "", "h"], "k"), node("Mul", "x k", "y")], floats("c", 4), tensor("h", 0.5))
    case("gelu_20_tanh", 20, (6,), [node("Gelu", "x", "h", approximate="tanh"), node("Neg", "h", "y")], low=-4, high=4)
    swish = [node("Mul", "x a", "k"), node("Sigmoid", "k", "s"), node("Mul", "x s", "h"), node("Neg", "h", "y")]
    case("swish_24", 24, (6,), [node("Swish", "x", "h", alpha=0.5), node("Neg", "h", "y")], low=-4, high=4,
         as_new=as_new(13, (6,), swish, tensor("a", 0.5)))
    case("clip_6", 6, (6,), [node("Clip", "x", "y", min=-0.5, max=0.25)], as_new=as_new(11, (6,), [node("Clip", "x l h", "y")], tensor("l", -0.5), tensor("h", 0.25)))
    case("clip_7", 7, (6,), [node("Clip", "x", "y", max=0.25)])
    case("clip_11", 11, (6,), [node("Clip", "x l", "y")], tensor("l", -0.5))
    case("clip_13", 13, (6,), [node("Clip", ["x", "", "h"], "y")], tensor("h", 0.5))
    slope = floats("a", 3)
    case("prelu_6", 6, (3, 2, 2), [node("PRelu", "x a", "y")], slope, as_new=as_new(9, (3, 2, 2), [node("Unsqueeze", "a", "b", axes=[1, 2]), node("PRelu", "x b", "y")], slope))
    case("prelu_9", 9, (3, 2, 2), [node("PRelu", "x a", "y")], floats("a", 3, 1, 1))
    case("where_16", 16, (4,), [node("Greater", "x t", "g"), node("Neg", "x", "n"), node("Where", "g x n", "y")], tensor("t", 0.25))
    case("softmax_11_flattens", 11, (3, 2, 2), [node("Softmax", "x", "h"), node("Neg", "h", "y")])
    case("softmax_13", 13, (3, 2, 2), [node("Softmax", "x", "h"), node("Neg", "h", "y")])
    case("softmax_13_channels", 13, (3, 2, 2), [node("Softmax", "x", "h", axis=1), node("Neg", "h", "y")])
    case("logsoftmax_11", 11, (3, 2), [node("LogSoftmax", "x", "h"), node("Neg", "h", "y")])
    case("logsoftmax_13", 13, (3, 2), [node("LogSoftmax", "x", "h"), node("Neg", "h", "y")])
    case("hardmax_11", 11, (3, 2), [node("Hardmax", "x", "h"), node("Neg", "h", "y")])
    case("hardmax_13", 13, (3, 2), [node("Hardmax", "x", "h"), node("Neg", "h", "y")])
    twice = [node("Concat", "x x", "d", axis=1), node("ArgMax", "d", "a", axis=1, keepdims=0), node("Cast", "a", "y", to=FLOAT)]
    case("argmax_11", 11, (4,), twice)
    last = [node("Concat", "x x", "d", axis=1), node("ArgMax", "d", "a", axis=1, keepdims=0, select_last_index=1), node("Cast", "a", "y", to=FLOAT)]
    case("argmax_12_last", 12, (4,), last)


def movement():
    case("slice_9", 9, (3, 5), [node("Slice", "x", "y", starts=[1, -3], ends=[3, 1000], axes=[1, 2])])
    case("slice_10_steps", 10, (3, 5), [node("Slice", "x s e a t", "y")], ints("s", -1, 0), ints("e", -1000, 5), ints("a", 2, 1), ints("t", -2, 2))
    case("slice_13_whole_batch", 13, (3, 5), [node("Slice", "x s e", "h"), node("Neg", "h", "y")], ints("s", 0, 1), ints("e", 2**62, 3))
    case("split_11", 11, (2, 6), [node("Split", "x", "a b c", axis=2, split=[1, 2, 3]), node("Concat", "c a b", "y", axis=-1)])
    case("split_13", 13, (2, 6), [node("Split", "x s", "a b", axis=2), node("Concat", "b a", "y", axis=2)], ints("s", 2, 4))
    case("split_13_equal", 13, (4, 2), [node("Split", "x", "a b", axis=1), node("Sub", "a b", "y")])
    case("split_18_uneven", 18, (5,), [node("Split", "x", "a b c", axis=1, num_outputs=3), node("Concat", "c b a", "y", axis=1)])
    case("squeeze_11", 11, (3, 1, 2), [node("Squeeze", "x", "h", axes=[2]), node("Neg", "h", "y")])
    case("squeeze_13", 13, (3, 1, 2), [node("Squeeze", "x a", "h"), node("Neg", "h", "y")], ints("a", -2))
    case("unsqueeze_11", 11, (3,), [node("Unsqueeze", "x", "h", axes=[0, 2]), node("Concat", "h h", "k", axis=2), node("Neg", "k", "y")])
    case("unsqueeze_13", 13, (3,), [node("Unsqueeze", "x a", "h"), node("Concat", "h h", "k", axis=1), node("Neg", "k", "y")], ints("a", 1))
    case("reshape_13_zero_copies", 13, (2, 3), [node("Reshape", "x s", "h"), node("Neg", "h", "y")], ints("s", 0, 0, -1))
    case("reshape_14_allowzero", 14, (2, 3), [node("Reshape", "x s", "h", allowzero=1), node("Neg", "h", "y")], ints("s", -1, 6))
    case("batch_moves_and_returns_13", 13, (3, 2), [node("Transpose", "x", "t", perm=[2, 1, 0]), node("Mul", "t c", "k"), node("MatMul", "w k", "m"), node("Transpose", "m", "y", perm=[2, 1, 0])],
         floats("c", 3, 1), floats("w", 2, 4, 3))
    case("matmul_left_13", 13, (3, 2), [node("MatMul", "w x", "y")], floats("w", 4, 3))
    case("matmul_rows_13", 13, (3, 4), [node("MatMul", "x w", "y")], floats("w", 4, 5))
    case("matmul_vector_13", 13, (3, 4), [node("MatMul", "x w", "y")], floats("w", 4))
    case("matmul_by_channel_13", 13, (3, 2, 4), [node("MatMul", "x w", "y")], floats("w", 3, 4, 2))
    case("einsum_12", 12, (3, 4), [node("Einsum", "x w", "y", equation="bij,jk->bki")], floats("w", 4, 5))
    case("einsum_12_alone", 12, (3, 4), [node("Einsum", "x", "y", equation="bij->bj")])
    case("gather_13", 13, (3, 4), [node("Gather", "x i", "y", axis=2)], tensor("i", [[0, -1], [2, 2]], np.int64))
    case("gather_13_scalar", 13, (3, 4), [node("Gather", "x i", "y", axis=1)], tensor("i", 1, np.int64))
    case("gathernd_11", 11, (3, 4), [node("Transpose", "x", "t", perm=[1, 2, 0]), node("GatherND", "t i", "g"), node("Transpose", "g", "y", perm=[1, 0])], tensor("i", [[0, 1], [2, -1], [1, 0]], np.int64))
    case("gathernd_12_shared", 12, (3, 4, 2), [node("GatherND", "x i", "y", batch_dims=1)], tensor("i", [[[0, 1], [2, 3]]], np.int64), batch=1)
    case("gathernd_13_repeated", 13, (3, 4), [node("GatherND", "x i", "y", batch_dims=1)], tensor("i", [[[2], [0]], [[2], [0]]], np.int64), batch=2)
    case("gathernd_13_whole_rows", 13, (3, 4, 2), [node("Transpose", "x", "t", perm=[1, 2, 0, 3]), node("GatherND", "t i", "g"), node("Transpose", "g", "y", perm=[1, 0, 2])], tensor("i", [[1, 1], [2, 3]], np.int64))
    case("gatherelements_11", 11, (3, 4), [node("GatherElements", "x i", "y", axis=2)], tensor("i", [[[3, 0], [1, -1], [2, 2]]], np.int64), batch=1)
    case("gatherelements_13", 13, (3, 4), [node("GatherElements", "x i", "y", axis=1)], tensor("i", [[[2, 0, 1, 1], [0, 0, -1, 2]]] * 2, np.int64), batch=2)
    column = [node("Shape", "u", "s"), node("Expand", "i s", "e")]
    case("scatterelements_13", 13, (3, 4), [node("ScatterElements", "x i u", "y", axis=2)], tensor("i", [[[3, 0], [1, -2], [2, 1]]], np.int64), floats("u", 1, 3, 2), batch=1)
    case("scatterelements_18_computed", 18, (3, 4), [node("Neg", "x", "n"), node("Slice", "n b f a", "u"), *column, node("ScatterElements", "x e u", "y", axis=1)], ints("b", 0), ints("f", 1), ints("a", 1), tensor("i", [[[2]]], np.int64))
    turned = [node("Transpose", "x", "t", perm=[1, 2, 0])]
    case("scatternd_11", 11, (3, 4), [*turned, node("ScatterND", "t i u", "g"), node("Transpose", "g", "y", perm=[2, 0, 1])], tensor("i", [[0, 1], [2, -1]], np.int64), floats("u", 2, 1), batch=1)
    case("scatternd_18_computed", 18, (3, 4), [*turned, node("Gather", "t z", "w", axis=0), node("Neg", "w", "v"), node("Unsqueeze", "v q", "u"), node("ScatterND", "t i u", "g"), node("Transpose", "g", "y", perm=[2, 0, 1])],
         tensor("z", 1, np.int64), ints("q", 0), tensor("i", [[2]], np.int64))
    case("scatternd_16_into_constant", 16, (3, 4), [node("Transpose", "x", "t", perm=[1, 0, 2]), node("ScatterND", "c i t", "g"), node("Transpose", "g", "y", perm=[1, 0, 2])], tensor("i", [[4], [0], [2]], np.int64), floats("c", 5, 1, 4), batch=1)
    case("eyelike_9", 9, (3, 4), [node("ConstantOfShape", "s", "o", value=tensor("v", [1], np.float32)), node("EyeLike", "o", "m", k=1), node("Mul", "x m", "y")], ints("s", 3, 4))
    case("trilu_14", 14, (3, 4), [node("Trilu", "x", "y")])
    case("trilu_14_lower", 14, (2, 4, 3), [node("Trilu", "x k", "y", upper=0)], tensor("k", -1, np.int64))
    case("trilu_14_mask", 14, (3, 4), [node("ConstantOfShape", "s", "o", value=tensor("v", [1])), node("Trilu", "o k", "m", upper=1), node("Mul", "x m", "y")], ints("s", 3, 4), tensor("k", 1, np.int64))
    case("tile_13", 13, (2, 3), [node("Tile", "x r", "y")], ints("r", 1, 2, 3))
    case("expand_13", 13, (2, 1), [node("Expand", "x s", "y")], ints("s", 1, 2, 3))
    case("concat_token_13", 13, (2, 3), [node("Shape", "x", "s"), node("Gather", "s z", "n"), node("Concat", "n r", "t", axis=0), node("Expand", "k t", "e"), node("Concat", "e x", "y", axis=1)],
         ints("z", 0), ints("r", 1, 3), floats("k", 1, 1, 3))
    for mode in ("constant", "reflect", "edge"):
        attributes = {"value": 0.5} if mode == "constant" else {}
        case(f"pad_7_{mode}", 7, (2, 3, 4), [node("Pad", "x", "y", mode=mode, pads=[0, 0, 1, 2, 0, 0, 2, 1], **attributes)])
        case(f"pad_11_{mode}", 11, (2, 3, 4), [node("Pad", "x p v", "y", mode=mode)], ints("p", 0, 0, 2, 1, 0, 0, 1, 3), tensor("v", -0.5))
    case("pad_13_negative", 13, (2, 4, 4), [node("Pad", "x p", "y")], ints("p", 0, 0, -1, 1, 0, 1, 2, -2))
    case("pad_18_axes", 18, (2, 3, 4), [node("Pad", ["x", "p", "", "a"], "y", mode="reflect")], ints("p", 2, 1), ints("a", -1))
    case("pad_19_wrap", 19, (2, 3, 4), [node("Pad", ["x", "p", "", "a"], "y", mode="wrap")], ints("p", 2, 1, 1, 2), ints("a", 2, 3))
    case("depth_to_space_11_dcr", 11, (8, 2, 3), [node("DepthToSpace", "x", "y", blocksize=2)])
    case("depth_to_space_13_crd", 13, (8, 2, 3), [node("DepthToSpace", "x", "y", blocksize=2, mode="CRD")])
    case("space_to_depth_13", 13, (2, 4, 6), [node("SpaceToDepth", "x", "y", blocksize=2)])
    shape = [node("Shape", "x", "s"), node("Slice", "s a b", "n"), node("Concat", "n r", "t", axis=0), node("Reshape", "x t", "h"), node("Neg", "h", "y")]
    case("shape_13", 13, (2, 3), shape, ints("a", 0), ints("b", 1), ints("r", -1))
    case("shape_15_start_end", 15, (2, 3), [node("Shape", "x", "s", start=0, end=-2), node("Concat", "s r", "t", axis=0), node("Reshape", "x t", "h"), node("Neg", "h", "y")], ints("r", -1))
    case("one_image_7", 7, (2, 3), [node("Squeeze", "x", "h", axes=[0]), node("Transpose", "h", "t"), node("Neg", "t", "k"), node("Unsqueeze", "k", "y", axes=[0])], batch=1)
    case("no_batch_13", 13, (1, 4, 4), [node("Unsqueeze", "x a", "u"), node("Conv", "u w", "c"), node("Squeeze", "c a", "y")], ints("a", 0), floats("w", 2, 1, 3, 3), batch=None)
    case("batch_of_two_13", 13, (2, 3), [node("Reshape", "x s", "h"), node("MatMul", "h w", "m"), node("Add", "m c", "y")], ints("s", 2, 6), floats("w", 6, 2), tensor("c", [[1, 2], [1, 2]]), batch=2)


def reductions():
    case("reducesum_11", 11, (3, 2, 4), [node("ReduceSum", "x", "y", axes=[1, -1], keepdims=0)])
    case("reducesum_13", 13, (3, 2, 4), [node("ReduceSum", "x a", "y", keepdims=1)], ints("a", 2))
    case("reducesum_13_noop", 13, (3, 2), [node("ReduceSum", "x", "h", noop_with_empty_axes=1), node("Neg", "h", "y")])
    case("reducemean_13", 13, (3, 2, 4), [node("ReduceMean", "x", "y", axes=[1])])
    case("reducemean_18", 18, (3, 2, 4), [node("ReduceMean", "x a", "y", keepdims=0)], ints("a", 1, 3))
    case("reducemean_18_space", 18, (3, 2, 4), [node("ReduceMean", "x a", "y")], ints("a", 2, 3))
    case("reducemax_13", 13, (3, 2, 4), [node("ReduceMax", "x", "y", axes=[2, 3])])
    case("reducemin_20", 20, (3, 2, 4), [node("ReduceMin", "x a", "y", keepdims=0)], ints("a", 1))
    case("reducesumsquare_18", 18, (3, 2), [node("ReduceSumSquare", "x a", "y")], ints("a", 2))
    case("cumsum_11", 11, (3, 4), [node("CumSum", "x a", "y")], tensor("a", 2, np.int64))
    case("cumsum_14_exclusive", 14, (3, 4), [node("CumSum", "x a", "y", exclusive=1)], tensor("a", -2, np.int32))
    case("cumsum_14_reverse", 14, (3, 4), [node("CumSum", "x a", "y", reverse=1)], tensor("a", 1, np.int64))
    case("cumsum_14_reverse_exclusive", 14, (3, 4), [node("CumSum", "x a", "y", reverse=1, exclusive=1)], tensor("a", 2, np.int64))
    case("cumsum_14_of_constant", 14, (4,), [node("CumSum", "c a", "d"), node("Mul", "x d", "y")], floats("c", 4), tensor("a", 0, np.int64))
    case("reducel1_11", 11, (3, 2, 4), [node("ReduceL1", "x", "y", axes=[1, 3])])
    case("reducel2_18", 18, (3, 2, 4), [node("ReduceL2", "x a", "y", keepdims=0)], ints("a", 2))
    case("reduceprod_18", 18, (3, 2, 4), [node("ReduceProd", "x a", "y")], ints("a", 1, 2))
    case("reducelogsum_13", 13, (3, 2, 4), [node("ReduceLogSum", "x", "y", axes=[2])], low=0.1)
    case("reducelogsumexp_18", 18, (3, 2, 4), [node("ReduceLogSumExp", "x a", "y", keepdims=0)], ints("a", 1, 3), low=-4, high=4)
    case("reducemax_13_apart", 13, (3, 2, 4), [node("ReduceMax", "x", "y", axes=[1, 3], keepdims=0)])
    norm = [node("ReduceL2", "v", "n", axes=[1], keepdims=1), node("Div", "v n", "u"), node("Mul", "u g", "w"), node("Gemm", "x w", "y", transB=1)]
    case("weight_norm_13", 13, (4,), norm, floats("v", 3, 4), floats("g", 3, 1))


def windows():
    pool = dict(kernel_shape=[3, 3], strides=[2, 2])
    case("avgpool_7", 7, (2, 6, 6), [node("AveragePool", "x", "y", pads=[1, 1, 1, 1], count_include_pad=1, **pool)])
    for opset in (10, 11, 19, 22):
        for count in (0, 1):
            case(f"avgpool_{opset}_ceil_count_{count}", opset, (2, 6, 6), [node("AveragePool", "x", "y", ceil_mode=1, pads=[1, 1, 1, 1], count_include_pad=count, **pool)])
    case("avgpool_19_dilated", 19, (2, 6, 6), [node("AveragePool", "x", "y", kernel_shape=[2, 2], dilations=[2, 2], pads=[1, 0, 0, 1])])
    case("avgpool_3d_13", 13, (2, 4, 5, 3), [node("AveragePool", "x", "y", kernel_shape=[3, 2, 1], strides=[1, 2, 1], pads=[1, 0, 0, 1, 1, 0])])
    case("maxpool_3d_12", 12, (2, 4, 5, 3), [node("MaxPool", "x", "y", kernel_shape=[3, 2, 2], strides=[1, 2, 1], pads=[1, 0, 0, 1, 1, 1])])
    case("globalavgpool_3d_22", 22, (2, 3, 2, 4), [node("GlobalAveragePool", "x", "y")])
    case("globalmaxpool_1d_13", 13, (2, 7), [node("GlobalMaxPool", "x", "y")])
    case("avgpool_1d_13", 13, (2, 7), [node("AveragePool", "x", "y", kernel_shape=[3], strides=[2], pads=[1, 1])])
    case("maxpool_8", 8, (2, 6, 6), [node("MaxPool", "x", "y", **pool)])
    for opset in (10, 12, 22):
        case(f"maxpool_{opset}_ceil", opset, (2, 6, 7), [node("MaxPool", "x", "y", ceil_mode=1, **pool)])
    case("maxpool_12_ceil_last_window_outside", 12, (1, 3, 3), [node("MaxPool", "x", "y", kernel_shape=[1, 1], strides=[2, 2], pads=[0, 0, 0, 0], ceil_mode=1)])
    case("maxpool_10_dilated", 10, (2, 7, 8), [node("MaxPool", "x", "y", kernel_shape=[2, 3], dilations=[2, 2], strides=[1, 2], pads=[1, 1, 0, 1])])
    case("maxpool_22_dilated_ceil", 22, (2, 7, 8), [node("MaxPool", "x", "y", kernel_shape=[2, 2], dilations=[3, 2], strides=[2, 2], ceil_mode=1)])
    case("maxpool_1d_12_dilated", 12, (2, 9), [node("MaxPool", "x", "y", kernel_shape=[3], dilations=[2], strides=[2], pads=[1, 1])])
    case("globalmaxpool_13", 13, (2, 3, 4), [node("GlobalMaxPool", "x", "y")])
    case("same_lower_13", 13, (2, 5, 5), [node("AveragePool", "x", "y", kernel_shape=[2, 2], auto_pad="SAME_LOWER")])
    case("conv_1d_13", 13, (2, 9), [node("Conv", "x w b", "y", strides=[2], pads=[1, 0], dilations=[2])], floats("w", 3, 2, 3), floats("b", 3))
    w = floats("w", 2, 3, 3, 3)
    for name, attributes in (("plain", {}), ("strided", dict(strides=[2, 3], pads=[1, 0, 0, 1])), ("output_padding", dict(strides=[2, 2], output_padding=[1, 1], pads=[1, 1, 1, 1])),
                             ("dilated", dict(dilations=[2, 1])), ("output_shape", dict(strides=[2, 2], output_shape=[8, 8])), ("same_upper", dict(strides=[2, 2], auto_pad="SAME_UPPER")),
                             ("wide_pads", dict(pads=[3, 3, 2, 2]))):
        case(f"convtranspose_11_{name}", 11, (2, 4, 4), [node("ConvTranspose", "x w b", "y", **attributes)], w, floats("b", 3))
    case("convtranspose_22_groups", 22, (4, 3, 3), [node("ConvTranspose", "x w", "y", group=2, strides=[2, 2])], floats("w", 4, 2, 2, 2))
    case("convtranspose_1d_13", 13, (2, 4), [node("ConvTranspose", "x w", "y", strides=[2])], floats("w", 2, 3, 3))


def resizing():
    up = tensor("s", [1, 1, 2, 1.5])
    case("upsample_7", 7, (1, 3, 4), [node("Upsample", "x", "y", mode="nearest", scales=[1.0, 1.0, 2.0, 3.0])])
    case("upsample_9_linear", 9, (1, 3, 4), [node("Upsample", "x s", "y", mode="linear")], up)
    case("resize_10", 10, (1, 3, 4), [node("Resize", "x s", "y")], up)
    case("resize_10_smaller", 10, (1, 5, 6), [node("Resize", "x s", "y")], tensor("s", [1, 1, 0.6, 0.5]))
    case("resize_10_linear", 10, (1, 3, 4), [node("Resize", "x s", "y", mode="linear")], up)
    for opset in (11, 13, 18, 19):
        modes = ["half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel"]
        modes += ["tf_half_pixel_for_nn"] if opset == 11 else ["half_pixel_symmetric"] if opset == 19 else []
        for mode in modes:
            region = "r" if opset == 11 else ""
            case(f"resize_{opset}_linear_{mode}", opset, (1, 3, 4), [node("Resize", ["x", region, "s"], "y", mode="linear", coordinate_transformation_mode=mode)], tensor("s", [1, 1, 2.1, 0.6]), tensor("r", []))
    for rounding in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"):
        case(f"resize_13_nearest_{rounding}", 13, (1, 4, 5), [node("Resize", ["x", "", "s"], "y", nearest_mode=rounding, coordinate_transformation_mode="half_pixel")], tensor("s", [1, 1, 2, 0.8]))
        case(f"resize_13_nearest_asymmetric_{rounding}", 13, (1, 4, 5), [node("Resize", ["x", "", "s"], "y", nearest_mode=rounding, coordinate_transformation_mode="asymmetric")], tensor("s", [1, 1, 0.5, 1.6]))
    case("resize_13_sizes", 13, (1, 3, 4), [node("Resize", ["x", "", "", "z"], "y", mode="linear")], ints("z", 1, 1, 5, 7), batch=1)
    for exclude in (0, 1):
        case(f"resize_13_cubic_exclude_{exclude}", 13, (1, 4, 4), [node("Resize", ["x", "", "s"], "y", mode="cubic", cubic_coeff_a=-0.5, exclude_outside=exclude)], tensor("s", [1, 1, 2, 1.5]))
    case("resize_13_cubic", 13, (1, 4, 4), [node("Resize", ["x", "", "s"], "y", mode="cubic", coordinate_transformation_mode="align_corners")], tensor("s", [1, 1, 2, 0.75]))
    case("resize_18_axes", 18, (1, 3, 4), [node("Resize", ["x", "", "s"], "y", mode="linear", axes=[3])], tensor("s", [2.0]))
    for mode in ("linear", "cubic"):
        for exclude in (0, 1):
            case(f"resize_18_antialias_{mode}_{exclude}", 18, (1, 8, 8), [node("Resize", ["x", "", "s"], "y", mode=mode, antialias=1, exclude_outside=exclude)], tensor("s", [1, 1, 0.5, 0.4]))
    case("resize_11_one", 11, (1, 3, 4), [node("Resize", ["x", "r", "r", "z"], "y", mode="linear", coordinate_transformation_mode="pytorch_half_pixel")], ints("z", 1, 1, 1, 4), tensor("r", []), batch=1)


def files():
    small = floats("w", 4, 2)
    case("double_13", 13, (4,), [node("MatMul", "x w", "m"), node("Cast", "m", "y", to=FLOAT)], tensor("w", numpy_helper.to_array(small), np.float64), kind=TensorProto.DOUBLE)
    case("half_weights_13", 13, (4,), [node("Cast", "w", "v", to=FLOAT), node("MatMul", "x v", "y")], tensor("w", numpy_helper.to_array(small), np.float16))
    case("bytes_13", 13, (4,), [node("Cast", "x", "f", to=FLOAT), node("Div", "f c", "h"), node("MatMul", "h w", "y")], tensor("c", 255.0), small, kind=TensorProto.UINT8, low=0, high=255)
    case("dequantised_weights_13", 13, (4,), [node("DequantizeLinear", "q s z", "w", axis=1), node("MatMul", "x w", "y")], tensor("q", [[1, -2], [3, 4], [-5, 6], [7, -8]], np.int8),
         tensor("s", [0.5, 0.25]), tensor("z", [1, -1], np.int8))
    for opset, kind, zero in ((10, np.uint8, 128), (13, np.int8, 0), (21, np.int16, 3)):
        case(f"quantised_weights_{opset}", opset, (4,), [node("QuantizeLinear", "w s z", "q"), node("DequantizeLinear", "q s z", "v"), node("MatMul", "x v", "y")],
             floats("w", 4, 3, low=-40, high=40), tensor("s", 0.125 if opset < 21 else 0.5), tensor("z", zero, kind))
    case("quantised_weights_13_by_axis", 13, (4,), [node("QuantizeLinear", "w s", "q", axis=1), node("DequantizeLinear", "q s", "v", axis=1), node("MatMul", "x v", "y")],
         floats("w", 4, 3, low=-2, high=40), tensor("s", [0.125, 0.25, 0.0625]))
    branches = [helper.make_graph([node("Mul", f"x {c}", f"{c}y")], c, [], [helper.make_tensor_value_info(f"{c}y", FLOAT, None)], [tensor(c, v)]) for c, v in (("a", 2.0), ("b", 3.0))]
    case("if_13", 13, (4,), [helper.make_node("If", ["c"], ["h"], then_branch=branches[0], else_branch=branches[1]), node("Neg", "h", "y")], tensor("c", False, np.bool_))
    body = [node("Mul", "u v", "m"), helper.make_node("LeakyRelu", ["m"], ["o"])]
    body[1].attribute.append(onnx.AttributeProto(name="alpha", type=onnx.AttributeProto.FLOAT, ref_attr_name="slope"))
    f = helper.make_function("local", "Scaled", ["u", "v"], ["o"], body, [helper.make_opsetid("", 17)], ["slope"])
    calls = [helper.make_node("Scaled", ["x", "c"], ["h"], domain="local", slope=0.25), helper.make_node("Scaled", ["h", "d"], ["y"], domain="local", slope=0.5)]
    case("function_17", 17, (4,), calls, tensor("c", -2.0), tensor("d", 3.0), functions=[f])
    for fmod in (0, 1):
        case(f"mod_13_fmod_{fmod}", 13, (4,), [node("Mod", "a b", "m", fmod=fmod), node("Cast", "m", "f", to=FLOAT), node("Mul", "x f", "y")], ints("a", 7, -7, 5, -5), ints("b", 3, 3, -3, -3))
    fold = [node("Range", "a b c", "r"), node("Cast", "r", "f", to=FLOAT), node("Sigmoid", "f", "s"), node("Where", "k s f", "w"), node("Mul", "x w", "y")]
    case("folded_13", 13, (4,), fold, tensor("a", 0, np.int64), tensor("b", 4, np.int64), tensor("c", 1, np.int64), tensor("k", [True, False, True, False], np.bool_))
    case("softmax_squeeze_13", 13, (4,), [node("MatMul", "x w", "m"), node("Softmax", "m", "s"), node("Unsqueeze", "s a", "u"), node("Squeeze", "u a", "y")], floats("w", 4, 3), ints("a", 1))


def text(values):
    return " ".join(repr(float(np.float32(v))) for v in np.asarray(values).ravel())


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "tests/vectors/onnx")
    folder.mkdir(parents=True, exist_ok=True)
    onnxruntime.set_default_logger_severity(4)
    plain = onnxruntime.SessionOptions()  # some optimisations round weights
    plain.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    for group in (arithmetic, normalisation, activations, movement, reductions, windows, resizing, files):
        group()
    lines = []
    for number, (name, (model, oracle, shape, low, high)) in enumerate(sorted(CASES.items())):
        session = onnxruntime.InferenceSession(oracle.SerializeToString(), plain)
        declared = session.get_inputs()[0]
        x = np.round(np.random.RandomState(number).uniform(low, high, (IMAGES, *shape)) * 64) / 64
        kind = {"tensor(double)": np.float64, "tensor(uint8)": np.uint8}.get(declared.type, np.float32)
        x = x.astype(kind)
        alone = len(declared.shape) == len(shape) or declared.shape[0] == 1
        if alone:
            y = [session.run(["y"], {"x": image if len(declared.shape) == len(shape) else image[None]})[0] for image in x]
        else:
            y = session.run(["y"], {"x": x})[0]
            # Where the batch axis is not in front, the images are taken one by one: they do not mix.
            if y.shape[0] != IMAGES:
                y = [session.run(["y"], {"x": image[None]})[0] for image in x]
        y = np.asarray(y, dtype=np.float32).reshape(IMAGES, -1)
        (folder / f"{name}.onnx").write_bytes(model.SerializeToString())
        lines += [f"{name} {IMAGES} {int(np.prod(shape))} {y.shape[1]}", text(x), text(y)]
    (folder / "cases.txt").write_text("\n".join(lines) + "\n")
    print(f"{len(CASES)} networks in {folder}")


if __name__ == "__main__":
    main()
