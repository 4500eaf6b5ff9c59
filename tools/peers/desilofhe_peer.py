"""desilofhe on the CPU, written by hand: python desilofhe_peer.py NETWORK.npz MNIST-FOLDER IMAGES [--slots]

Eight images after eight, lane by lane of the slots: the client sends the taps of the convolution's windows, 25 ciphertexts; the dense layers by
diagonals, baby and giant steps, hoisted rotations. With --slots: an element a ciphertext, and the images in its slots.
"""
import os
import sys
from importlib.metadata import version

import numpy as np
from desilofhe import Engine

import network
from report import evaluations, print_report, timed

path, folder, count, in_slots = sys.argv[1], sys.argv[2], int(sys.argv[3]), "--slots" in sys.argv
layers = network.load(path)
images, labels = network.mnist(folder, count)
expected = network.clear(layers, images)

# --- lines of a user's program begin here ---
engine = Engine(max_level=5, mode="parallel", thread_count=int(os.environ.get("OMP_NUM_THREADS", 2)))
secret = engine.create_secret_key()
public, relinearisation = engine.create_public_key(secret), engine.create_relinearization_key(secret)
slots = engine.slot_count
WIDTH = 1024
LANES = slots // WIDTH


def encode(values, level):
    """A factor of products: rescaled and transformed once, so that a product only multiplies element by element."""
    return engine.ntt(engine.rescale(engine.encode(np.repeat(values, LANES), level)))


def square(x):
    return engine.rescale(engine.square(x, relinearisation))


def total(ciphertexts):
    sum_of = ciphertexts[0]
    for c in ciphertexts[1:]:
        sum_of = engine.add(sum_of, c)
    return sum_of


class Diagonals:
    """w x for x with period `period`: `rows` (a power of two) diagonals, then the parts of each row are added."""

    def __init__(self, w, rows, period, baby, level):
        padded = np.zeros((rows, period))
        padded[: w.shape[0], : w.shape[1]] = w
        j = np.arange(WIDTH)
        self.diagonals = [encode(np.roll(padded[j % rows, (j + i) % period], i // baby * baby), level) for i in range(rows)]
        key = lambda steps, at: engine.create_fixed_rotation_key(secret, LANES * steps, at)
        self.baby = [key(b, level) for b in range(1, baby)]
        self.giant = [key(g, level - 1) for g in range(baby, rows, baby)]
        self.fold = [key(rows << k, level - 1) for k in range((period // rows).bit_length() - 1)]

    def keys(self):
        return self.baby + self.giant + self.fold

    def __call__(self, x):
        turned = [engine.ntt(t) for t in [x] + engine.rotate_many(x, self.baby)]
        parts = []
        for first in range(0, len(self.diagonals), len(turned)):
            products = [engine.multiply(t, d) for t, d in zip(turned, self.diagonals[first:])]
            parts.append(engine.rescale(total(products)))
        y = total(parts[:1] + [engine.rotate(p, key) for p, key in zip(parts[1:], self.giant)])
        for key in self.fold:
            y = engine.add(y, engine.rotate(y, key))
        return y


def by_lanes():
    (w1, b1), (w2, b2), (w3, b3) = layers
    used = [np.flatnonzero(row) for row in w1]
    taps = max(len(u) for u in used)
    index = np.zeros((taps, len(w1)), int)  # the client sends what each window reads, tap by tap
    first = np.zeros((taps, WIDTH))
    for o, u in enumerate(used):
        index[: len(u), o] = u
        first[: len(u), o] = w1[o, u]
    first = [encode(t, 5) for t in first]
    second, third = Diagonals(w2, 128, 1024, 16, 3), Diagonals(w3, 16, 128, 4, 1)
    pad = lambda b, rows: np.tile(np.pad(b, (0, rows - len(b))), WIDTH // rows)
    bias = lambda b, rows, level: engine.rescale(engine.encode(np.repeat(pad(b, rows), LANES), level))
    biases = [bias(b1, 1024, 4), bias(b2, 128, 2)]

    def encrypt():
        batches = []
        for k in range(0, count, LANES):
            x = images[k : k + LANES]
            lanes = np.zeros((taps, WIDTH, LANES))
            lanes[:, : len(w1), : len(x)] = x.T[index]
            batches.append([engine.encrypt(t.reshape(-1), public) for t in lanes])
        return batches

    def evaluate(batches):
        results = []
        for ciphertexts in batches:
            products = [engine.multiply(engine.ntt(engine.rescale(t)), w) for t, w in zip(ciphertexts, first)]
            y = square(engine.add(engine.rescale(total(products)), biases[0]))
            y = square(engine.add(second(y), biases[1]))
            results.append(third(y))
        return results

    def decrypt(results):
        out = [engine.decrypt(c, secret)[: 10 * LANES].real.reshape(10, LANES).T for c in results]
        return np.concatenate(out)[:count] + b3

    return encrypt, evaluate, decrypt, second.keys() + third.keys()


def all_in_slots():
    def encrypt():
        return [engine.encrypt(images[:, k], public) for k in range(784)]

    def evaluate(x):
        for k, (w, b) in enumerate(layers):
            x = [engine.rescale(c) for c in x]
            out = []
            for row, constant in zip(w, b):
                used = np.flatnonzero(row)
                out.append(engine.weighted_sum([x[i] for i in used], [constant, *row[used]]))  # its first weight is a constant
            x = [square(y) if k < 2 else engine.rescale(y) for y in out]
        return x

    def decrypt(results):
        return np.array([engine.decrypt(c, secret)[:count].real for c in results]).T

    return encrypt, evaluate, decrypt, []


encrypt, evaluate, decrypt, rotations = all_in_slots() if in_slots else by_lanes()
# --- and end here ---
encrypting, ciphertexts = timed(encrypt)
first, warm, results = evaluations(lambda: evaluate(ciphertexts))
decrypting, outputs = timed(lambda: decrypt(results))
flat = [c for x in ciphertexts for c in (x if isinstance(x, list) else [x])]
size = lambda objects: sum(x.serialized_nbytes for x in objects)
print_report(
    "desilofhe", version("desilofhe"), count, outputs, expected, labels,
    packing="element a ciphertext" if in_slots else f"diagonals, {LANES} images at once",
    seconds={"encrypt": encrypting, "first": first, "warm": warm, "decrypt": decrypting},
    bytes={"up": size(flat), "down": size(results), "keys": size([relinearisation] + rotations)},
    parameters={"n": 2 * slots, "security": None},  # the engine is given a depth, and tells neither its moduli nor its security
)
