"""The tools that read: OpenSSL, GnuTLS and NSS."""

import re

from bench import blocks, certificates, holds, run

P12 = "keystore.p12"
# id-kp-serverAuth.
SERVER_AUTH = "1.3.6.1.5.5.7.3.1"


def openssl_pem(output, work):
    """The chain leads to the root for a server under each name, the key is sound and is that of the certificate."""
    crt = output.file("tls.crt")
    text = crt.read_text()
    holds(text.startswith("-----BEGIN CERTIFICATE-----\n"), "tls.crt begins with something else")
    for name in output.hosts():
        run("openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", name, "-no-CApath",
            "-no-CAstore", "-CAfile", output.root, "-untrusted", crt, crt)
    for at, certificate in enumerate(output.chain()):
        file = work / f"{at}.der"
        file.write_bytes(certificate)
        run("openssl", "x509", "-inform", "DER", "-in", file, "-noout", "-text")
    run("openssl", "pkey", "-in", output.key, "-check", "-noout")
    holds(public_of_key(output.key) == public_of_certificate(crt), "the key is another one")
    entries = [("tls.crt", True), ("tls.key", output.has_key), ("ca.crt", output.has_root)]
    entries += [("keystore.p12", output.has_key), ("keystore.jks", output.has_key)]
    wanted = {name for name, is_there in entries if is_there}
    seen = {file.name for file in output.directory.iterdir()}
    holds(seen == wanted, f"the Secret has {sorted(seen)}, and should have {sorted(wanted)}")
    holds(output.type == ("kubernetes.io/tls" if output.has_key else "Opaque"), output.type)
    root = certificates(output.root.read_text())
    holds(not set(root) & set(output.chain()), "the root is in tls.crt")
    if output.has_root:
        holds(certificates(output.file("ca.crt").read_text()) == root, "ca.crt is not the root")
    if output.has_key:
        holds(len(blocks(output.key.read_text(), "PRIVATE KEY")) == 1, "tls.key is not PKCS #8")


def public_of_key(file):
    return blocks(run("openssl", "pkey", "-in", file, "-pubout"), "PUBLIC KEY")


def public_of_certificate(file):
    return blocks(run("openssl", "x509", "-in", file, "-noout", "-pubkey"), "PUBLIC KEY")


def same(output, said, work):
    """What a tool has read from a keystore is the key and the chain of the order."""
    holds(certificates(said) == output.chain(), f"another chain:\n{said}")
    key = work / "read.key"
    found = re.search(r"-----BEGIN PRIVATE KEY-----.*?-----END PRIVATE KEY-----", said, re.S)
    holds(found, f"no key:\n{said}")
    key.write_text(found[0] + "\n")
    holds(public_of_key(key) == public_of_key(output.key), "another key")


def openssl_pkcs12(output, work):
    said = run("openssl", "pkcs12", "-in", output.file(P12), "-passin", f"pass:{output.pkcs12_password}", "-noenc")
    same(output, said, work)
    names = re.findall(r"friendlyName: (.*)", said)
    holds(names == ["certificate"] * 2, f"key and certificate have the names {names}")
    run("openssl", "pkcs12", "-in", output.file(P12), "-passin", "pass:another", "-noenc", ok=False)


def gnutls_pem(output, work):
    """`certtool` builds the same way to the root."""
    for name in output.hosts():
        run("certtool", "--verify", "--verify-hostname", name, "--verify-purpose", SERVER_AUTH, "--load-ca-certificate",
            output.root, "--infile", output.file("tls.crt"))
    run("certtool", "--key-info", "--infile", output.key)


def gnutls_pkcs12(output, work):
    password = ["--password", output.pkcs12_password]
    said = run("certtool", "--p12-info", "--inder", "--infile", output.file(P12), *password)
    holds(certificates(said) == output.chain(), f"another chain:\n{said}")
    # It shows the key as it is in the file.
    key = work / "encrypted.key"
    found = re.search(r"-----BEGIN ENCRYPTED PRIVATE KEY-----.*?-----END ENCRYPTED PRIVATE KEY-----\n", said, re.S)
    holds(found, f"no key:\n{said}")
    key.write_text(found[0])
    public = blocks(run("certtool", "--pubkey-info", "--load-privkey", key, *password), "PUBLIC KEY")
    holds(public == public_of_key(output.key), "another key")


def nss_pkcs12(output, work):
    """`pk12util` takes the keystore in, and the certificate is found by its name, with its key, good for a server."""
    database = ["-d", f"sql:{work}"]
    run("certutil", "-N", "--empty-password", *database)
    run("certutil", "-A", "-n", "root", "-t", "C,,", "-a", "-i", output.root, *database)
    run("pk12util", "-i", output.file(P12), "-W", output.pkcs12_password, *database)
    run("certutil", "-V", "-n", "certificate", "-u", "V", "-e", *database)
    listed = run("certutil", "-L", "-n", "certificate", "-a", *database)
    holds(certificates(listed) == output.chain()[:1], f"another certificate:\n{listed}")
    listed = run("certutil", "-K", *database)
    holds(re.search(r"\bcertificate$", listed, re.M), f"no key by that name:\n{listed}")
