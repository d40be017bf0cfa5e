"""Loads what certorder writes into Secrets into the programs that people use it with, and prints a table.

usage: python3 tests/consumers/run.py [--only PROGRAM,...] [--binary FILE] [--keep DIRECTORY]
"""

import argparse
import contextlib
import dataclasses
import pathlib
import shutil
import signal
import sys
import tempfile
import time

import bench
import handshake
import outputs
import servers
import tools
from java import HOME, Tomcat, keytool
from node import Node

tomcat, node = Tomcat(), Node()


@dataclasses.dataclass
class Program:
    """A program, and the ways in which it takes what certorder writes.

    Each way has its name in the table, whether it reads a keystore, and a check, which raises what is wrong.
    """

    # Commands and files that must be there.
    needs: list
    ways: list
    version: list
    # What is started once for all outputs.
    once: object = None


PROGRAMS = {
    "openssl": Program(
        needs=["openssl"],
        version=["openssl", "version"],
        ways=[
            ("pem", False, tools.openssl_pem),
            ("pkcs12", True, tools.openssl_pkcs12),
            ("s_server", False, servers.s_server),
        ],
    ),
    "nginx": Program(needs=["nginx"], version=["nginx", "-v"], ways=[("pem", False, servers.nginx)]),
    "haproxy": Program(
        needs=["haproxy"],
        version=["haproxy", "-v"],
        ways=[
            ("one file", False, servers.haproxy_one_file),
            (".key", False, servers.haproxy_beside),
            ("mounted", False, servers.haproxy_as_mounted),
        ],
    ),
    "apache": Program(
        needs=["apache2", "/usr/lib/apache2/modules/mod_ssl.so"],
        version=["apache2", "-v"],
        ways=[("pem", False, servers.apache)],
    ),
    "stunnel": Program(needs=["stunnel4"], version=["stunnel4", "-version"], ways=[("pem", False, servers.stunnel)]),
    "tomcat": Program(
        needs=["java", f"{HOME}/bin/bootstrap.jar"],
        version=["sh", f"{HOME}/bin/version.sh"],
        once=tomcat,
        ways=[
            ("pem", False, tomcat.check("PEM")),
            ("pkcs12", True, tomcat.check("PKCS12")),
            ("jks", True, tomcat.check("JKS")),
        ],
    ),
    "node": Program(
        needs=["node"],
        version=["node", "--version"],
        once=node,
        ways=[("pem", False, node.check("pem")), ("pfx", True, node.check("pfx"))],
    ),
    "keytool": Program(
        needs=["java", "keytool"],
        version=["java", "-version"],
        ways=[("pkcs12", True, keytool("PKCS12")), ("jks", True, keytool("JKS"))],
    ),
    "gnutls": Program(
        needs=["certtool"],
        version=["certtool", "--version"],
        ways=[("pem", False, tools.gnutls_pem), ("pkcs12", True, tools.gnutls_pkcs12)],
    ),
    # Its tools do not tell their version; the package does.
    "nss": Program(
        needs=["certutil", "pk12util"],
        version=["dpkg-query", "--show", "libnss3-tools"],
        ways=[("pkcs12", True, tools.nss_pkcs12)],
    ),
}


def main():
    flags = argparse.ArgumentParser(usage=__doc__)
    flags.add_argument("--only", help=f"of {', '.join(PROGRAMS)}")
    flags.add_argument("--binary", type=pathlib.Path, help="the built example, instead of cargo run")
    flags.add_argument("--keep", type=pathlib.Path, help="a new directory for the files, which stays")
    flags = flags.parse_args()
    selected = flags.only.split(",") if flags.only else list(PROGRAMS)
    if unknown := set(selected) - set(PROGRAMS):
        sys.exit(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(PROGRAMS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by a signal"))
    with place(flags.keep) as directory:
        sys.exit(check(selected, directory, flags.binary))


@contextlib.contextmanager
def place(kept):
    if kept:
        kept.mkdir(parents=True)
        yield kept.resolve()
    else:
        with tempfile.TemporaryDirectory(prefix="consumers-") as directory:
            # A server that gives up root's rights reads its configuration before that.
            yield pathlib.Path(directory)


def check(selected, directory, binary):
    """All of it; the exit code."""
    missing = {name: lacks for name in selected if (lacks := lacking(name))}
    for name, lacks in missing.items():
        print(f"MISSING {name}: {', '.join(lacks)}; tests/consumers/README.md names the packages")
    if lacks := lacking("openssl"):
        print(f"nothing can be checked without {', '.join(lacks)}")
        return 2
    start = time.monotonic()
    all_outputs = outputs.make(directory, binary)
    print(f"{len(all_outputs)} orders are issued, after {time.monotonic() - start:.0f} s")
    is_strict(all_outputs, directory)
    there = [name for name in selected if name not in missing]
    results = {}
    for name in there:
        results |= ask(name, all_outputs, directory)
    show(there, all_outputs, results)
    failed = sum(bool(outcome) for outcome in results.values())
    lacking_too = f", missing: {', '.join(missing)}" if missing else ""
    print(f"{len(results) - failed} passed, {failed} failed{lacking_too}")
    return 1 if failed else 2 if missing else 0


def lacking(name):
    path = bench.environment()["PATH"]
    return [what for what in PROGRAMS[name].needs if not (shutil.which(what, path=path) or pathlib.Path(what).is_file())]


def is_strict(all_outputs, directory):
    """The client of all these checks fails where it must."""
    output = all_outputs[0]
    other = next(one for one in all_outputs if one.root != output.root)
    work = directory / "client"
    work.mkdir()
    handshake.is_strict(lambda output, chain: servers.openssl_server(output, chain, work), output, other)


def ask(name, all_outputs, directory):
    """What a program says to each output by each way; an empty text if all is well."""
    ways, once = PROGRAMS[name].ways, PROGRAMS[name].once
    results = {}
    begin = time.monotonic()
    try:
        if once:
            once.start(all_outputs, fresh(directory, name))
        for output in all_outputs:
            for way, reads_keystore, function in ways:
                if output.has_key or not reads_keystore:
                    work = fresh(directory, f"{name}-{way.replace(' ', '-')}-{output.name}")
                    results[output.name, name, way] = attempt(function, output, work)
    except bench.Failed as failed:
        results |= {(output.name, name, ways[0][0]): f"it does not start: {failed}" for output in all_outputs}
    finally:
        if once:
            once.stop()
    print(f"{name}: {len(results)} checks in {time.monotonic() - begin:.0f} s", flush=True)
    return results


def fresh(directory, name):
    work = directory / "work" / name
    work.mkdir(parents=True)
    return work


def attempt(function, output, work):
    try:
        function(output, work)
    except Exception as failed:  # a parser of these checks that meets something unknown is a failure, too
        return f"{type(failed).__name__}: {failed}"
    return ""


def show(names, all_outputs, results):
    columns = [(name, way) for name in names for way, _, _ in PROGRAMS[name].ways]
    width = max(len(output.name) for output in all_outputs)
    widths = [max(len(name), len(way), len("FAILED")) for name, way in columns]
    for line in (0, 1):
        print(" " * width, *(column[line].ljust(w) for column, w in zip(columns, widths)), sep="  ")
    for output in all_outputs:
        cells = [results.get((output.name, *column)) for column in columns]
        words = ["-" if cell is None else "FAILED" if cell else "ok" for cell in cells]
        print(output.name.ljust(width), *(word.ljust(w) for word, w in zip(words, widths)), sep="  ")
    print("- : the Secret has no such file, since certorder does not have the key")
    for (output, name, way), outcome in results.items():
        if outcome:
            print(f"\nFAILED {output}, {name} {way}: {outcome}")
    print()
    for name in names:
        print(f"{name}: {version(name)}")


def version(name):
    try:
        lines = bench.run(*PROGRAMS[name].version).splitlines()
    except (bench.Failed, OSError) as failed:
        return f"cannot tell its version: {failed}"
    return next((line.strip() for line in lines if any(letter.isdigit() for letter in line)), "unknown version")


if __name__ == "__main__":
    main()
