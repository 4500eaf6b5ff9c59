#!/usr/bin/env python3
"""Write the test vectors tests/vectors/velum-*.json.

usage: generate.py [OUTPUT_FOLDER]

Everything here is big-integer schoolbook arithmetic and the formats as docs/formats.md words them, written without the
library, so that library and vectors can only agree by both being right. Deterministic: the numbers come from SHA-256 of
a counter.
"""
import hashlib
import json
import math
import os
import struct
import sys


class Numbers:
    """Uniform integers from SHA-256 in counter mode."""

    def __init__(self, label):
        self.label, self.counter = label, 0

    def below(self, bound):
        size = (bound.bit_length() + 7) // 8 + 8
        data = b""
        while len(data) < size:
            data += hashlib.sha256(f"{self.label} {self.counter}".encode()).digest()
            self.counter += 1
        return int.from_bytes(data[:size], "big") % bound

    def poly(self, n, bound):
        return [self.below(bound) for _ in range(n)]


# Numbers and roots

def is_prime(n):
    if n % 2 == 0:
        return n == 2
    d, s = n - 1, 0
    while d % 2 == 0:
        d, s = d // 2, s + 1
    for a in range(2, 60):
        x = pow(a, d, n)
        if x in (1, n - 1):
            continue
        if not any((x := x * x % n) == n - 1 for _ in range(s - 1)):
            return False
    return True


def root_order(ring, n):
    return (4 if ring == "real" else 2) * n


def primes(ring, n, sizes):
    found = []
    for bits in sizes:
        order = root_order(ring, n)
        q = 2**bits // order * order + 1
        while q in found or not is_prime(q):
            q += order
        found.append(q)
    return found


def smallest_root(order, q):
    """The smallest element of exact order `order`, a power of two."""
    g = next(h for h in (pow(c, (q - 1) // order, q) for c in range(2, q)) if pow(h, order // 2, q) == q - 1)
    return min(pow(g, k, q) for k in range(1, order, 2))


# Polynomials: coefficient lists over {1, X^i + X^-i} (real) or {X^i} (standard)

def multiply(ring, a, b):
    """The product over the integers."""
    n = len(a)
    # As Laurent polynomials in X, reduced by X^2n = -1 (real) or X^n = -1 (standard) at the end.
    period = 2 * n if ring == "real" else n
    def spread(p):
        terms = {}
        for i, x in enumerate(p):
            terms[i] = terms.get(i, 0) + x
            if ring == "real" and i:
                terms[-i] = terms.get(-i, 0) + x
        return terms
    full = [0] * period
    for i, x in spread(a).items():
        for j, y in spread(b).items():
            turns, k = divmod(i + j, period)
            full[k] += -x * y if turns % 2 else x * y
    return full[:n]


def evaluations(ring, p, q):
    """In the order of the transform."""
    n, order = len(p), root_order(ring, len(p))
    zeta = smallest_root(order, q)
    exponent = {1: n}
    for k in range(2, 2 * n):
        exponent[k] = exponent[k // 2] // 2 + (order // 2 if k % 2 else 0)
    out = []
    for leaf in range(n, 2 * n):
        x = pow(zeta, exponent[leaf], q)
        y = pow(x, -1, q)
        out.append(sum(c * (pow(x, i, q) + (pow(y, i, q) if ring == "real" and i else 0)) for i, c in enumerate(p)) % q)
    return out


def centred(residues, moduli):
    """The integer of least magnitude with these residues."""
    big = math.prod(moduli)
    x = sum(r * (big // q) * pow(big // q, -1, q) for r, q in zip(residues, moduli)) % big
    return x - big if x > big // 2 else x


def integers(limbs, moduli):
    return [centred(r, moduli) for r in zip(*limbs)]


def limbs_of(p, moduli):
    return [[x % q for x in p] for q in moduli]


def divide(values, divisors, moduli):
    """limbs of t / M rounded, t given by its limbs over moduli + divisors, M the product of the divisors."""
    m = math.prod(divisors)
    remainder = integers(values[len(moduli):], divisors)
    return [[(t - r) * pow(m, -1, q) % q for t, r in zip(limb, remainder)] for limb, q in zip(values, moduli)]


def key_switch(ring, c2, moduli, special, key):
    """Limbs of sum_d x_d key_d over moduli + special, before the division by P."""
    alpha, n = len(special), len(c2[0])
    total = [[0] * n for _ in moduli + special]
    for d, row in enumerate(key[: -(-len(moduli) // alpha)]):
        part = slice(d * alpha, min((d + 1) * alpha, len(moduli)))
        x = integers(c2[part], moduli[part])
        for i, q in enumerate(moduli + special):
            total[i] = [(t + y) % q for t, y in zip(total[i], multiply(ring, x, row[i]))]
    return total


def switching_case(ring, c, moduli, special, key_b, key_a, chain_length):
    """Relinearisation, alone and fused with the rescale, of three polynomials over the first moduli of the chain."""
    k, p = len(moduli), math.prod(special)
    def height(row):                      # the key's rows for these moduli and the special primes
        return row[:k] + row[chain_length:]
    out, fused = [], []
    for lower, key in zip(c[:2], (key_b, key_a)):
        t = key_switch(ring, c[2], moduli, special, [height(row) for row in key])
        down = divide(t, special, moduli)
        out.append([[(x + y) % q for x, y in zip(a, b)] for a, b, q in zip(lower, down, moduli)])
        t = [[(x + p * y) % q for x, y in zip(a, b)] for a, b, q in zip(t, lower, moduli)] + t[k:]
        reordered = t[: k - 1] + t[k:] + [t[k - 1]]
        fused.append(divide(reordered, special + [moduli[-1]], moduli[:-1]))
    return {"limbs": k, "input": c, "relinearised": out, "relinearised_rescaled": fused}


# Rotations

def automorphism(ring, p, g):
    """X -> X^g, g odd."""
    n = len(p)
    half = 2 * n if ring == "real" else n  # X^half = -1
    out = [0] * n
    for i, x in enumerate(p):
        turns, e = divmod(i * g, half)
        if ring == "real" and e > n:  # X^e + X^-e = -(X^(half - e) + X^(e - half))
            turns, e = turns + 1, half - e
        out[e] += -x if turns % 2 else x
    return out


def rotation(ring, n, steps):
    """The exponent of the automorphism that brings slot j + steps to slot j."""
    return pow(5, steps, root_order(ring, n))


def rotation_case(ring, steps, c, moduli, special, key_b, key_a, chain_length):
    """A rotation, alone and fused with the rescale, of two polynomials over the first moduli of the chain."""
    k, n, p = len(moduli), len(c[0][0]), math.prod(special)
    g = rotation(ring, n, steps)
    def moved(limbs, qs):
        return [[x % q for x in automorphism(ring, limb, g)] for limb, q in zip(limbs, qs)]
    out, fused = [], []
    for poly, key in enumerate((key_b, key_a)):
        t = key_switch(ring, c[1], moduli, special, [row[:k] + row[chain_length:] for row in key])
        if poly == 0:
            t = [[(x + p * y) % q for x, y in zip(a, b)] for a, b, q in zip(t, c[0], moduli)] + t[k:]
        out.append(moved(divide(t, special, moduli), moduli))
        if k > 1:
            reordered = t[: k - 1] + t[k:] + [t[k - 1]]
            fused.append(moved(divide(reordered, special + [moduli[-1]], moduli[:-1]), moduli[:-1]))
    return {"steps": steps, "limbs": k, "input": c, "rotated": out, "rotated_rescaled": fused}


def slots(ring, p):
    """The slots of integer coefficients, by the definition."""
    n, order = len(p), root_order(ring, len(p))
    out = []
    for j in range(n if ring == "real" else n // 2):
        angle = 2 * math.pi * pow(5, j, order) / order
        out.append(sum(x * math.cos(i * angle) * (2 if ring == "real" and i else 1) for i, x in enumerate(p)))
    return out


def from_evaluations(ring, values, q):
    """The coefficients of a polynomial given in the order of the transform, by elimination."""
    n = len(values)
    columns = [evaluations(ring, [int(i == k) for i in range(n)], q) for k in range(n)]
    rows = [[columns[k][i] for k in range(n)] + [values[i]] for i in range(n)]
    for k in range(n):
        pivot = next(i for i in range(k, n) if rows[i][k])
        rows[k], rows[pivot] = rows[pivot], rows[k]
        inverse = pow(rows[k][k], -1, q)
        rows[k] = [x * inverse % q for x in rows[k]]
        for i in range(n):
            if i != k and rows[i][k]:
                f = rows[i][k]
                rows[i] = [(x - f * y) % q for x, y in zip(rows[i], rows[k])]
    return [row[n] for row in rows]


def switching_key(ring, numbers, source, target, limbs, moduli, special):
    """Bytes of a key from `source` to `target`, and its rows of b and a in coefficients."""
    n, alpha, p = len(source), len(special), math.prod(special)
    every = list(enumerate(moduli))[:limbs] + list(enumerate(special, len(moduli)))
    seed = bytes(numbers.below(256) for _ in range(32))
    data, key_b, key_a = seed, [], []
    for d in range(-(-limbs // alpha)):
        error = [numbers.below(43) - 21 for _ in range(n)]
        row_b, row_a = [], []
        for index, q in every:
            a = from_evaluations(ring, expand(seed, d << 16 | index, q, n), q)
            inside = d * alpha <= index < min((d + 1) * alpha, limbs)
            b = [(e - x + (p * s if inside else 0)) % q
                 for e, x, s in zip(error, multiply(ring, a, target), source)]
            data += pack(evaluations(ring, b, q), q.bit_length())
            row_b.append(b)
            row_a.append(a)
        key_b.append(row_b)
        key_a.append(row_a)
    return data, key_b, key_a


def key_file(ring, numbers, params_id, secret, moduli, special):
    """Evaluation keys with rotations, and ciphertexts before and after them."""
    n, limbs = len(secret), len(moduli)
    slot_count = n if ring == "real" else n // 2
    identity = secret_key_payload(params_id, secret)[16:32]
    wanted = [(1, limbs), (3, 1), (slot_count - 2, limbs - 1)]
    data = params_id + identity + struct.pack("<IQ", limbs, len(wanted))
    data += b"".join(struct.pack("<II", *entry) for entry in wanted)
    data += switching_key(ring, numbers, multiply(ring, secret, secret), secret, limbs, moduli, special)[0]
    cases = []
    for steps, height in wanted:
        target = automorphism(ring, secret, rotation(ring, n, -steps))
        part, key_b, key_a = switching_key(ring, numbers, secret, target, height, moduli, special)
        data += part
        chain = moduli[:height]
        message = [numbers.below(2**26) - 2**25 for _ in range(n)]
        c1 = [numbers.below(math.prod(chain)) for _ in range(n)]
        c0 = [m - x + numbers.below(43) - 21 for m, x in zip(message, multiply(ring, c1, secret))]
        c = [limbs_of(c0, chain), limbs_of(c1, chain)]
        case = rotation_case(ring, steps, c, chain, special, key_b, key_a, height)
        case["slots"] = slots(ring, message)
        cases.append(case)
    return {"payload": data.hex(), "cases": cases}


# Formats

def chacha20(key, nonce, count):
    """`count` blocks of the key stream, 64-bit counter and nonce."""
    def rotate(x, s):
        return (x << s | x >> (32 - s)) & 0xFFFFFFFF
    def quarter(v, a, b, c, d):
        for x, y, z, s in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            v[x] = (v[x] + v[y]) & 0xFFFFFFFF
            v[z] = rotate(v[z] ^ v[x], s)
    stream = b""
    for block in range(count):
        start = list(struct.unpack("<4I8I2I2I", b"expand 32-byte k" + key + struct.pack("<Q", block) + nonce))
        v = start[:]
        for _ in range(10):
            for i in range(4):
                quarter(v, i, 4 + i, 8 + i, 12 + i)
            for i in range(4):
                quarter(v, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
        stream += struct.pack("<16I", *((x + y) & 0xFFFFFFFF for x, y in zip(v, start)))
    return stream


def expand(seed, stream_number, q, n):
    width = q.bit_length()
    size = (width + 7) // 8
    stream = chacha20(seed, struct.pack("<Q", stream_number), 8 * n * size // 64 + 4)
    out, k = [], 0
    while len(out) < n:
        x = int.from_bytes(stream[k * size:(k + 1) * size], "little") & (2**width - 1)
        k += 1
        if x < q:
            out.append(x)
    return out


def pack(values, width):
    total = sum(x << (i * width) for i, x in enumerate(values))
    return total.to_bytes(len(values) * width // 8, "little")


def parameter_id(ring, security, n, moduli, special):
    data = struct.pack("<BHI", ring == "standard", security, n)
    for part in (moduli, special):
        data += struct.pack("<Q", len(part)) + b"".join(struct.pack("<Q", q) for q in part)
    return hashlib.blake2b(data, digest_size=16).digest()


def secret_key_payload(params_id, secret):
    packed = pack([x % 4 for x in secret], 2)
    identity = hashlib.blake2b(params_id + packed, digest_size=16, key=b"Velum: identity of a secret key\0").digest()
    return params_id + identity + packed


def make(ring, n, sizes, special_sizes):
    numbers = Numbers(f"velum {ring} {n} {sizes} {special_sizes}")
    chain = primes(ring, n, sizes + special_sizes)
    moduli, special = chain[: len(sizes)], chain[len(sizes):]
    alpha = len(special)
    v = {"ring": ring, "ring_dimension": n, "moduli": moduli, "special": special}

    secret = [numbers.below(3) - 1 for _ in range(n)]
    v["secret_coefficients"] = secret
    v["parameter_id"] = parameter_id(ring, 0, n, moduli, special).hex()
    v["secret_key_payload"] = secret_key_payload(bytes.fromhex(v["parameter_id"]), secret).hex()

    p = numbers.poly(n, moduli[0])
    v["transform"] = {"coefficients": p, "evaluations": evaluations(ring, p, moduli[0])}
    v["packed"] = pack(p, moduli[0].bit_length()).hex()
    seed = bytes(numbers.below(256) for _ in range(32))
    v["expansion"] = {"seed": seed.hex(), "streams": [
        {"stream": s, "modulus": q, "residues": expand(seed, s, q, n)}
        for s, q in ((0, moduli[0]), (len(moduli) - 1, moduli[-1]), (3 * 2**16 + len(moduli), special[0]))]}

    every = moduli + special
    sources = [0, len(moduli) - 1] if len(moduli) > 1 else [0]
    residues = [numbers.poly(n, every[i]) for i in sources]
    x = integers(residues, [every[i] for i in sources])
    v["base_conversion"] = {"sources": sources, "input": residues, "output": limbs_of(x, every)}

    two = [[numbers.poly(n, q) for q in moduli] for _ in range(2)]
    v["rescale"] = {"input": two, "output": [divide(poly, moduli[-1:], moduli[:-1]) for poly in two]}

    digit_count = -(-len(moduli) // alpha)
    key_b, key_a = ([[numbers.poly(n, q) for q in every] for _ in range(digit_count)] for _ in range(2))
    v["key_b"], v["key_a"] = key_b, key_a
    v["switching"] = []
    for k in (len(moduli), len(moduli) - 1):
        c = [[numbers.poly(n, q) for q in moduli[:k]] for _ in range(3)]
        v["switching"].append(switching_case(ring, c, moduli[:k], special, key_b, key_a, len(moduli)))

    v["evaluation_keys"] = key_file(ring, numbers, bytes.fromhex(v["parameter_id"]), secret, moduli, special)
    return v


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "..", "..", "tests", "vectors")
    cases = {
        "velum-real-n16-alpha1.json": ("real", 16, [36, 40, 47], [47]),
        "velum-standard-n16-alpha1.json": ("standard", 16, [36, 22, 31], [44]),
        "velum-real-n16-alpha2.json": ("real", 16, [30, 36, 36, 40, 33], [40, 41]),
        "velum-standard-n16-alpha3.json": ("standard", 16, [36, 30, 36, 40], [40, 41, 42]),
    }
    for name, case in cases.items():
        with open(os.path.join(folder, name), "w") as f:
            json.dump(make(*case), f, separators=(",", ":"))
            f.write("\n")
        print(name)


if __name__ == "__main__":
    main()
