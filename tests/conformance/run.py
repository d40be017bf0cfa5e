"""Drives the simulated clouds with the vendors' own clients, so that signatures and shapes are those of real clients.

usage: python tests/conformance/run.py COMMAND...

COMMAND starts the clouds: `cargo run --example clouds`. The packages of requirements.txt must be installed.
"""

import sys

import harness
import huawei_cases  # noqa: F401, its cases add themselves
import tencent_cases  # noqa: F401


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    with harness.Clouds(sys.argv[1:]) as clouds:
        failed = harness.run(clouds)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
