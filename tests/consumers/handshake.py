"""The client: OpenSSL's, which trusts one root alone, wants one name, and shows the chain that the server sends."""

import bench

VERSIONS = ["-tls1_2", "-tls1_3"]


def succeeds(port, output):
    """By each version of TLS and under each name; the server sends the chain of `tls.crt`, no more and no less."""
    for name in output.hosts():
        for version in VERSIONS:
            said = connect(port, name, output.root, version)
            sent = bench.certificates(said)
            bench.holds(sent == output.chain(), f"the server sends another chain, {len(sent)} certificates:\n{said}")


def connect(port, name, root, version, ok=True):
    return bench.run(
        "openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", name, "-verify_hostname", name,
        "-verify_return_error", "-CAfile", root, "-no-CApath", "-no-CAstore", "-showcerts", version, ok=ok, within=20,
    )


def is_strict(serve, output, other):
    """That it fails where it must: another root, another name, a chain without the intermediate."""
    with serve(output, output.chain()) as server:
        succeeds(server.ports[0], output)
        for name, root in ((output.hosts()[0], other.root), ("other.acme.example", output.root)):
            connect(server.ports[0], name, root, "-tls1_3", ok=False)
    with serve(output, output.chain()[:1]) as server:
        connect(server.ports[0], output.hosts()[0], output.root, "-tls1_3", ok=False)
