#!/usr/bin/env python3
"""Checks a receipt of Kalel with nothing but RFC 6962: each event is in the tree whose root the checkpoint tells.

usage: verify_receipt.py receipt.json         exit code 0: proven, 1: not
Who signed the checkpoint is another question: docs/audit.md answers it with openssl, in four lines.
"""
import base64, hashlib, json, sys


def leaf_hash(data):                                    # RFC 6962, 2.1: MTH({d(0)})
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left, right):                             # 2.1: MTH(D[n]), n > 1
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(size):                                        # 2.1: "the largest power of two smaller than n"
    k = 1
    while k * 2 < size:
        k *= 2
    return k


def root(index, size, leaf, path):                      # 2.1.1: PATH(m, D[n]), read from its end
    if size == 1:
        assert not path, "the proof is too long"
        return leaf
    assert path, "the proof is too short"
    k, sibling = split(size), path[-1]
    if index < k:
        return node_hash(root(index, k, leaf, path[:-1]), sibling)
    return node_hash(sibling, root(index - k, size - k, leaf, path[:-1]))


def main(name):
    receipt = json.load(open(name, encoding="utf-8"))
    origin, size, expected = receipt["receipt"]["checkpoint"].split("\n")[:3]
    for event in receipt["events"]:
        index, path = event["position"] - 1, [base64.b64decode(line) for line in event["proof"]]
        assert 0 <= index < int(size), "there is no such position"
        found = root(index, int(size), leaf_hash(event["line"].encode()), path)
        assert found == base64.b64decode(expected), f"position {index + 1} is not in the log"
        print(f"position {index + 1} is event {index + 1} of {size} in {origin}")


try:
    main(sys.argv[1])
except (AssertionError, ValueError, KeyError, IndexError, OSError) as error:
    sys.exit(f"NOT PROVEN: {error!r}")
