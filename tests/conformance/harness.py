"""Cases, and what they share: each runs by itself, in the order of the file, and either returns or raises."""

import json
import os
import subprocess
import time
import traceback

CASES = []


def case(promise):
    """Adds a function to the cases; it takes the clouds."""

    def add(function):
        CASES.append((promise, function))
        return function

    return add


def run(clouds):
    """Runs all cases and says how each ended. Returns how many failed."""
    failed = 0
    for promise, function in CASES:
        try:
            function(clouds)
        except Exception:  # whatever a client of somebody else raises is a failure of the case
            failed += 1
            print(f"FAILED  {promise}\n{traceback.format_exc()}")
        else:
            print(f"ok      {promise}")
    print(f"{len(CASES) - failed} passed, {failed} failed")
    return failed


class Clouds:
    """The simulated clouds as a process of their own; it ends with its standard input."""

    def __init__(self, command):
        # The clouds are on this machine, whatever proxy it has for others.
        os.environ["NO_PROXY"] = "127.0.0.1"
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{command} did not start")
        served = json.loads(line)
        self.tencent, self.huawei = served["tencent"], served["huawei"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=10)


class Pace:
    """Keeps calls of one kind so far apart that a cloud's limit is never reached."""

    def __init__(self, per_second):
        self.interval = 1.1 / per_second
        self.next = {}

    def wait(self, kind):
        time.sleep(max(0, self.next.get(kind, 0) - time.monotonic()))
        self.next[kind] = time.monotonic() + self.interval


def until(look, is_it, within=20):
    """Looks again until it is so."""
    end = time.monotonic() + within
    while True:
        seen = look()
        if is_it(seen):
            return seen
        if time.monotonic() > end:
            raise AssertionError(f"not within {within} s: {seen}")


def equal(seen, expected):
    if seen != expected:
        raise AssertionError(f"{seen!r} is not {expected!r}")


def holds(condition, what):
    if not condition:
        raise AssertionError(what)


def pem(text, kind, count=1):
    """The text has so many blocks of this kind."""
    equal(text.count(f"-----BEGIN {kind}-----"), count)
    equal(text.count(f"-----END {kind}-----"), count)
