"""Orion v2 (on Lattigo): python orion_peer.py NETWORK.npz MNIST-FOLDER IMAGES

Its compiler packs the layers of a PyTorch module for so many images a ciphertext: all of them, eight at most. Client and server exchange bytes, as
in its examples.
"""
import math
import os
import sys
import tempfile
from importlib.metadata import version

import numpy as np
import orion_compiler.nn as on
import torch
from lattigo.ckks import Encoder, Parameters
from lattigo.rlwe import Ciphertext, Decryptor, Encryptor, KeyGenerator, MemEvaluationKeySet
from orion_compiler import CKKSParams, Compiler
from orion_evaluator import Evaluator, Model

import network
from report import evaluations, print_report, timed

path, folder, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
layers = network.load(path)
images, labels = network.mnist(folder, count)
expected = network.clear(layers, images)

# --- lines of a user's program begin here ---
# 217 bits with the prime for key switching: at most 218 are secure at this dimension. Those are for secrets that are zero in a third of the places,
# while Orion's default would be zero in all but 192.
CKKS = CKKSParams(logn=13, logq=[31, 30, 30, 30, 30, 30], logp=[36], log_default_scale=30, h=2 * 2**13 // 3)
BATCH = min(count, 8)


class Net(on.Module):
    def __init__(self):
        super().__init__()
        self.conv = on.Conv2d(1, 5, kernel_size=5, stride=2, padding=1)
        self.act1 = on.Quad()
        self.flatten = on.Flatten()
        self.fc1 = on.Linear(845, 100)
        self.act2 = on.Quad()
        self.fc2 = on.Linear(100, 10)

    def forward(self, x):
        x = self.flatten(self.act1(self.conv(x)))
        return self.fc2(self.act2(self.fc1(x)))


net = Net().eval()
for layer, (w, b) in zip((net.conv, net.fc1, net.fc2), (network.convolution(layers[0], 28, 5, 2, 1), *layers[1:])):
    layer.load_state_dict({"weight": torch.tensor(w), "bias": torch.tensor(b)})
compiler = Compiler(net, CKKS)
compiler.fit(torch.tensor(images[:BATCH], dtype=torch.float32).reshape(-1, 1, 28, 28))
with tempfile.TemporaryDirectory() as tmp:
    file = os.path.join(tmp, "network.orion")
    compiler.compile_to_file(file)
    with open(file, "rb") as f:
        model = Model.load(f.read())
settings, manifest, level = model.client_params()
parameters = Parameters.from_dict(settings)
generator = KeyGenerator(parameters)
secret = generator.gen_secret_key()
encoder = Encoder(parameters)
encryptor, decryptor = Encryptor(parameters, generator.gen_public_key(secret)), Decryptor(parameters, secret)
rotations = [generator.gen_galois_key(secret, int(element)) for element in manifest["galois_elements"]]
keys = MemEvaluationKeySet(rlk=generator.gen_relin_key(secret), galois_keys=rotations).marshal_binary()
evaluator = Evaluator(settings, keys)
slots = parameters.max_slots()


def encrypt():
    ciphertexts = []
    for k in range(0, count, BATCH):
        x = images[k : k + BATCH].reshape(-1)
        plain = encoder.encode(np.pad(x, (0, slots - len(x))).tolist(), level, parameters.default_scale())
        ciphertexts.append(encryptor.encrypt_new(plain).marshal_binary())
    return ciphertexts


def evaluate(ciphertexts):
    return [evaluator.forward(model, [c])[0] for c in ciphertexts]


def decrypt(results):
    plain = [decryptor.decrypt_new(Ciphertext.unmarshal_binary(r)) for r in results]
    return np.array([encoder.decode(p, slots)[: 10 * BATCH] for p in plain]).reshape(-1, 10)[:count]


# --- and end here ---
encrypting, ciphertexts = timed(encrypt)
first, warm, results = evaluations(lambda: evaluate(ciphertexts))
decrypting, outputs = timed(lambda: decrypt(results))
primes = parameters.moduli_chain() + parameters.aux_moduli_chain()
print_report(
    "Orion", version("orion-v2-evaluator"), count, outputs, expected, labels,
    packing="its compiler's, one image" if BATCH == 1 else f"its compiler's, {BATCH} images at once",
    seconds={"encrypt": encrypting, "first": first, "warm": warm, "decrypt": decrypting},
    bytes={"up": sum(map(len, ciphertexts)), "down": sum(map(len, results)), "keys": len(keys)},
    parameters={"n": CKKS.ring_degree, "log2_q": round(sum(map(math.log2, primes))), "security": 128},
)
