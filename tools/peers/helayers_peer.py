"""IBM HElayers: python helayers_peer.py NETWORK.npz MNIST-FOLDER IMAGES; its optimiser chooses packing and parameters."""
import os
import sys
import tempfile
from importlib.metadata import version

import numpy as np
import onnx
import pyhelayers as he
from onnx import TensorProto, helper, numpy_helper

import network
from report import evaluations, print_report, timed

path, folder, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
layers = network.load(path)
images, labels = network.mnist(folder, count)
expected = network.clear(layers, images)


def as_onnx(file):
    """A convolution, squares and dense layers, in the operators that HElayers reads."""
    w, b = network.convolution(layers[0], 28, 5, 2, 1)
    tensor = lambda x, name: numpy_helper.from_array(np.asarray(x).astype(np.float32), name)
    nodes = [helper.make_node("Conv", ["input", "w0", "b0"], ["y0"], kernel_shape=[5, 5], strides=[2, 2], pads=[1, 1, 0, 0]),
             helper.make_node("Mul", ["y0", "y0"], ["s"]), helper.make_node("Flatten", ["s"], ["s0"])]
    weights, x = [tensor(w, "w0"), tensor(b, "b0")], "s0"
    for k, (w, b) in list(enumerate(layers))[1:]:
        weights += [numpy_helper.from_array(w.astype(np.float32), f"w{k}"), numpy_helper.from_array(b.astype(np.float32), f"b{k}")]
        nodes.append(helper.make_node("Gemm", [x, f"w{k}", f"b{k}"], [f"y{k}"], transB=1))
        x = f"y{k}"
        if k < 2:
            nodes.append(helper.make_node("Mul", [x, x], [f"s{k}"]))
            x = f"s{k}"
    graph = helper.make_graph(
        nodes, "network",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 1, 28, 28])],
        [helper.make_tensor_value_info(x, TensorProto.FLOAT, ["batch", 10])], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), file)


with tempfile.TemporaryDirectory() as tmp:
    file = os.path.join(tmp, "network.onnx")
    as_onnx(file)
    # --- lines of a user's program begin here ---
    plain = he.NeuralNetPlain()
    plain.init_from_files(he.PlainModelHyperParams(), [file])
    requirements = he.HeRunRequirements()
    requirements.set_he_context_options([he.DefaultContext()])
    requirements.set_model_encrypted(False)
    requirements.optimize_for_batch_size(count)
    profile = he.HeModel.compile(plain, requirements)
    context = he.HeModel.create_context(profile)
    net = he.NeuralNet(context)
    net.encode(plain, profile)
    io = he.ModelIoEncoder(net)

    def encrypt():
        samples = he.EncryptedData(context)
        io.encode_encrypt(samples, [images.reshape(-1, 1, 28, 28)])
        return samples

    def evaluate(samples):
        results = he.EncryptedData(context)
        net.predict(results, samples)
        return results

    encrypting, samples = timed(encrypt)
    first, warm, results = evaluations(lambda: evaluate(samples))
    decrypting, outputs = timed(lambda: io.decrypt_decode_output(results))
    # --- and end here ---
    outputs = np.asarray(outputs).reshape(count, -1)
    print_report(
        "HElayers", version("pyhelayers"), count, outputs, expected, labels, packing="its optimiser's",
        seconds={"encrypt": encrypting, "first": first, "warm": warm, "decrypt": decrypting},
        bytes={"up": len(samples.save_to_buffer()), "down": len(results.save_to_buffer())},
        parameters={"n": 2 * context.slot_count(), "security": context.get_security_level()},
    )
