"""What every peer prints: one JSON line of seconds, bytes, memory and error for so many images."""
import json
import resource
import time

import numpy as np


def timed(f):
    start = time.perf_counter()
    value = f()
    return time.perf_counter() - start, value


def evaluations(f, least=3, limit=20.0):
    """The first evaluation's seconds, and the median of further ones; f is called once where it takes long."""
    first, value = timed(f)
    more = []
    while first < limit and len(more) < least:
        seconds, value = timed(f)
        more.append(seconds)
    return first, float(np.median(more)) if more else first, value


def print_report(peer, version, images, outputs, expected, labels, **facts):
    error = np.abs(np.asarray(outputs)[: len(expected)] - expected)
    report = {
        "peer": peer,
        "version": version,
        "images": images,
        "worst_error": float(error.max()),
        "largest_output": float(np.abs(expected).max()),
        "accuracy": float((np.asarray(outputs)[: len(labels)].argmax(axis=1) == labels).mean()),
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    print(json.dumps(report | facts), flush=True)
