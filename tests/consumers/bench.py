"""What the consumers share: commands with an end, servers that are ended, free ports, and PEM."""

import base64
import contextlib
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import time

# The most that a command, or the start of a server, may take, in seconds.
PATIENCE = 60


class Failed(Exception):
    """A consumer does not do what it should."""


def run(*command, ok=True, within=PATIENCE, **options):
    """Runs a command without input and returns what it says on both channels. It must succeed, or fail with ok=False."""
    command = [str(part) for part in command]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=within,
            encoding="utf-8", errors="replace", env=environment(), **options,
        )
    except subprocess.TimeoutExpired as late:
        raise Failed(f"{command[0]} did not end within {within} s") from late
    if (done.returncode == 0) != ok:
        raise Failed(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout.strip()}")
    return done.stdout


def environment():
    """Passwords on command lines are UTF-8, messages English, and configuration of the user's own is left out."""
    others = ("SSL_", "OPENSSL_", "JAVA_", "JDK_", "CATALINA_", "NODE_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(others)}
    return kept | {"LC_ALL": "C.UTF-8", "PATH": kept.get("PATH", "") + ":/usr/sbin:/sbin"}


def free_port(handed_out=set()):
    """A free port of the loopback interface, each once, below those that the kernel gives to outgoing connections."""
    while True:
        port = random.randrange(20000, 32000)
        if port not in handed_out:
            with socket.socket() as probe, contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                handed_out.add(port)
                return port


class Server:
    """A server process with its children; ended with the block."""

    def __init__(self, command, ports, directory):
        self.ports = ports
        self.log = pathlib.Path(directory) / "server.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(part) for part in command], stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT,
                cwd=directory, env=environment(), start_new_session=True,
            )

    def __enter__(self):
        try:
            for port in self.ports:
                self.wait_for(port)
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_):
        self.end()

    def wait_for(self, port):
        end = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return
            if self.process.poll() is not None:
                raise Failed(f"the server ended with {self.process.returncode}:\n{self.said()}")
            if time.monotonic() > end:
                raise Failed(f"nothing listens on port {port}:\n{self.said()}")
            time.sleep(0.02)

    def said(self):
        return self.log.read_text(errors="replace").strip()

    def end(self):
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        if self.process.poll() is not None:
            return
        for kind in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, kind)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=10)
                break


def blocks(text, label):
    """The DER of each PEM block of this kind, in order."""
    pattern = rf"-----BEGIN {label}-----(.*?)-----END {label}-----"
    return [base64.b64decode(found) for found in re.findall(pattern, text, re.S)]


def certificates(text):
    return blocks(text, "CERTIFICATE")


def pem(certificate):
    body = base64.encodebytes(certificate).decode()
    return f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n"


def holds(condition, what):
    if not condition:
        raise Failed(what)
