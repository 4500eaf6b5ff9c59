"""TenSEAL (Microsoft SEAL): python tenseal_peer.py NETWORK.npz MNIST-FOLDER IMAGES [--slots]

Image after image, a vector in the slots; with --slots an element a ciphertext, and the images in its slots.
"""
import sys

import numpy as np
import tenseal as ts

import network
from report import evaluations, print_report, timed

path, folder, count, in_slots = sys.argv[1], sys.argv[2], int(sys.argv[3]), "--slots" in sys.argv
layers = network.load(path)
images, labels = network.mnist(folder, count)
expected = network.clear(layers, images)

# --- lines of a user's program begin here ---
BITS, SCALE = [50, 40, 40, 40, 40, 40, 50], 40
context = ts.context(ts.SCHEME_TYPE.CKKS, poly_modulus_degree=16384, coeff_mod_bit_sizes=BITS, n_threads=2)
context.global_scale = 2.0**SCALE
context.generate_galois_keys()


def evaluate_vectors(vectors):
    results = []
    for x in vectors:
        for k, (w, b) in enumerate(layers):
            x = x.mm(w.T.tolist()) + b.tolist()
            if k < 2:
                x.square_()
        results.append(x)
    return results


def evaluate_tensor(x):
    for k, (w, b) in enumerate(layers):
        x = x.mm(ts.plain_tensor(w.T)) + ts.plain_tensor(np.tile(b, (1, 1)))
        if k < 2:
            x.square_()
    return x


if in_slots:
    encrypt = lambda: ts.ckks_tensor(context, ts.plain_tensor(images[:, np.newaxis, :]), batch=True)  # of one row
    evaluate = evaluate_tensor
    decrypt = lambda r: np.array(r.decrypt().tolist())
    sent = lambda c: len(c.serialize())
else:
    encrypt = lambda: [ts.ckks_vector(context, x.tolist()) for x in images]
    evaluate = evaluate_vectors
    decrypt = lambda r: np.array([c.decrypt() for c in r])
    sent = lambda c: sum(len(x.serialize()) for x in c)
# --- and end here ---

encrypting, ciphertexts = timed(encrypt)
first, warm, results = evaluations(lambda: evaluate(ciphertexts if not in_slots else ciphertexts.copy()))
decrypting, outputs = timed(lambda: decrypt(results))
print_report(
    "TenSEAL", ts.__version__, count, outputs, expected, labels,
    packing="element a ciphertext" if in_slots else "vector, image after image",
    seconds={"encrypt": encrypting, "first": first, "warm": warm, "decrypt": decrypting},
    bytes={"up": sent(ciphertexts), "down": sent(results),
           "keys": len(context.serialize(save_secret_key=False))},
    parameters={"n": 16384, "log2_q": sum(BITS), "security": 128},
)
