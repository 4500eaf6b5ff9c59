"""OpenFHE through its Python wrapper, written by hand: python openfhe_peer.py NETWORK.npz MNIST-FOLDER IMAGES

Image after image: the client sends the taps of the convolution's windows, 25 ciphertexts; the dense layers by diagonals, baby and giant steps,
hoisted rotations. With --slots: an element a ciphertext, and the images in its slots.
"""
import sys
from importlib.metadata import version

import numpy as np
import openfhe as fhe

import network
from report import evaluations, print_report, timed

path, folder, count, in_slots = sys.argv[1], sys.argv[2], int(sys.argv[3]), "--slots" in sys.argv
layers = network.load(path)
images, labels = network.mnist(folder, count)
expected = network.clear(layers, images)

# --- lines of a user's program begin here ---
WIDTH = 1024
parameters = fhe.CCParamsCKKSRNS()
parameters.SetScalingTechnique(fhe.FIXEDMANUAL)
parameters.SetMultiplicativeDepth(5)
parameters.SetScalingModSize(36)
parameters.SetFirstModSize(46)
parameters.SetSecurityLevel(fhe.HEStd_128_classic)
if not in_slots:
    parameters.SetBatchSize(WIDTH)
cc = fhe.GenCryptoContext(parameters)
for feature in (fhe.PKE, fhe.KEYSWITCH, fhe.LEVELEDSHE, fhe.ADVANCEDSHE):
    cc.Enable(feature)
keys = cc.KeyGen()
cc.EvalMultKeyGen(keys.secretKey)
n = cc.GetRingDimension()


def encode(values, level=0):
    return cc.MakeCKKSPackedPlaintext([float(v) for v in values], 1, level)


def square(x):
    return cc.Rescale(cc.EvalSquare(x))


class Diagonals:
    """w x for x with period `period`: `rows` (a power of two) diagonals, then the parts of each row are added."""

    def __init__(self, w, rows, period, baby, level):
        self.rows, self.baby = rows, baby
        padded = np.zeros((rows, period))
        padded[: w.shape[0], : w.shape[1]] = w
        j = np.arange(WIDTH)
        self.diagonals = [encode(np.roll(padded[j % rows, (j + i) % period], i // baby * baby), level) for i in range(rows)]
        self.fold = [rows << k for k in range((period // rows).bit_length() - 1)]
        self.rotations = set(range(1, baby)) | set(range(baby, rows, baby)) | set(self.fold)

    def __call__(self, x):
        hoisted = cc.EvalFastRotationPrecompute(x)
        turned = [x] + [cc.EvalFastRotation(x, b, 2 * n, hoisted) for b in range(1, self.baby)]
        total = None
        for giant in range(0, self.rows, self.baby):
            part = cc.EvalAddMany([cc.EvalMult(t, self.diagonals[giant + b]) for b, t in enumerate(turned)])
            total = part if total is None else cc.EvalAdd(total, cc.EvalRotate(part, giant))
        for shift in self.fold:
            total = cc.EvalAdd(total, cc.EvalRotate(total, shift))
        return total


def one_by_one():
    (w1, b1), (w2, b2), (w3, b3) = layers
    used = [np.flatnonzero(row) for row in w1]
    taps = max(len(u) for u in used)
    index = np.zeros((taps, len(w1)), int)  # the client sends what each window reads, tap by tap
    first = np.zeros((taps, WIDTH))
    for o, u in enumerate(used):
        index[: len(u), o] = u
        first[: len(u), o] = w1[o, u]
    first = [encode(t) for t in first]
    second, third = Diagonals(w2, 128, 1024, 16, 2), Diagonals(w3, 16, 128, 4, 4)
    cc.EvalRotateKeyGen(keys.secretKey, sorted(second.rotations | third.rotations))
    pad = lambda b, rows: np.tile(np.pad(b, (0, rows - len(b))), WIDTH // rows)
    biases = [encode(pad(b1, 1024), 1), encode(pad(b2, 128), 3), pad(b3, 16)]

    def evaluate(ciphertexts):
        results = []
        for x in ciphertexts:
            y = cc.Rescale(cc.EvalAddMany([cc.EvalMult(t, w) for t, w in zip(x, first)]))
            y = square(cc.EvalAdd(y, biases[0]))
            y = square(cc.EvalAdd(cc.Rescale(second(y)), biases[1]))
            results.append(cc.Rescale(third(y)))
        return results

    def encrypt():
        pad_right = lambda v: np.pad(v, (0, WIDTH - len(v)))
        return [[cc.Encrypt(keys.publicKey, encode(pad_right(x[t]))) for t in index] for x in images]

    def decrypt(results):
        out = []
        for c in results:
            p = cc.Decrypt(c, keys.secretKey)
            p.SetLength(16)
            out.append(np.array(p.GetRealPackedValue()[:10]) + b3)
        return np.array(out)

    return encrypt, evaluate, decrypt


def all_in_slots():
    def encrypt():
        return [cc.Encrypt(keys.publicKey, encode(images[:, k])) for k in range(784)]

    def evaluate(x):
        for k, (w, b) in enumerate(layers):
            out = []
            for row, bias in zip(w, b):
                used = np.flatnonzero(row)
                y = cc.EvalLinearWSum([x[i] for i in used], [float(v) for v in row[used]])
                out.append(cc.EvalAdd(y, float(bias)))  # rescaled by the sum itself
            x = [square(y) for y in out] if k < 2 else out
        return x

    def decrypt(results):
        columns = []
        for c in results:
            p = cc.Decrypt(c, keys.secretKey)
            p.SetLength(count)
            columns.append(p.GetRealPackedValue()[:count])
        return np.array(columns).T

    return encrypt, evaluate, decrypt


# --- and end here ---
encrypt, evaluate, decrypt = all_in_slots() if in_slots else one_by_one()
encrypting, ciphertexts = timed(encrypt)
first, warm, results = evaluations(lambda: evaluate(ciphertexts))
decrypting, outputs = timed(lambda: decrypt(results))
flat = [c for x in ciphertexts for c in (x if isinstance(x, list) else [x])]
size = lambda c: len(fhe.Serialize(c, fhe.BINARY))
print_report(
    "OpenFHE", version("openfhe"), count, outputs, expected, labels,
    packing="element a ciphertext" if in_slots else "diagonals, image after image",
    seconds={"encrypt": encrypting, "first": first, "warm": warm, "decrypt": decrypting},
    bytes={"up": size(flat[0]) * len(flat), "down": size(results[0]) * len(results)},
    parameters={"n": n, "security": 128},
)
