"""The outputs: what certorder writes for orders of every kind, as files."""

import dataclasses
import json
import pathlib
import shutil

import bench

RSA = ("genpkey", "-algorithm", "RSA", "-pkeyopt")
EC = ("genpkey", "-algorithm", "EC", "-pkeyopt")

# Keys of the user's own: name, how OpenSSL makes it, and whether certorder gets it for the Secret.
OWN = [
    ("own-rsa-2048-pkcs1", ("genrsa", "-traditional", "2048"), True),
    ("own-rsa-4096-pkcs1", ("genrsa", "-traditional", "4096"), True),
    ("own-rsa-3072-pkcs8", (*RSA, "rsa_keygen_bits:3072"), True),
    ("own-ecdsa-256-sec1", ("ecparam", "-name", "prime256v1", "-genkey", "-noout"), True),
    ("own-ecdsa-384-parameters", ("ecparam", "-name", "secp384r1", "-genkey"), True),
    ("own-ecdsa-256-pkcs8", (*EC, "ec_paramgen_curve:P-256"), True),
    ("alone-rsa-2048", (*RSA, "rsa_keygen_bits:2048"), False),
    ("alone-ecdsa-384", (*EC, "ec_paramgen_curve:P-384"), False),
]

COMMAND = ["cargo", "run", "--quiet", "--locked", "--example", "outputs", "--"]


@dataclasses.dataclass
class Output:
    """What one order ended in."""

    name: str
    names: list
    directory: pathlib.Path
    root: pathlib.Path
    type: str
    has_key: bool
    has_root: bool
    pkcs12_password: str
    jks_password: str
    jks_alias: str
    key: pathlib.Path

    def file(self, entry):
        return self.directory / entry

    def chain(self):
        return bench.certificates(self.file("tls.crt").read_text())

    def hosts(self):
        """A name for each of the certificate's: a wildcard stands for any label."""
        return [name.replace("*", "anything") for name in self.names]


def make(directory, binary):
    """Issues the orders, with keys and CSRs of the user's own among them."""
    keys, own, secrets = (directory / name for name in ("keys", "own", "secrets"))
    for place in (keys, own):
        place.mkdir()
    for name, command, is_handed_over in OWN:
        key = keys / f"{name}.key"
        # OpenSSL wants the length of `genrsa` behind all options.
        options, last = (command[:-1], command[-1:]) if command[0] == "genrsa" else (command, ())
        bench.run("openssl", *options, "-out", key, *last)
        subject = f"/CN={name}.acme.example"
        bench.run("openssl", "req", "-new", "-key", key, "-subj", subject, "-out", own / f"{name}.csr")
        if is_handed_over:
            shutil.copy(key, own / key.name)
    command = [binary] if binary else COMMAND
    bench.run(*command, secrets, "--own", own, within=1200)
    return read(secrets, keys)


def read(secrets, keys):
    outputs = []
    for fields in json.loads((secrets / "outputs.json").read_text()):
        directory = secrets / fields["name"]
        key = directory / "tls.key" if fields["has_key"] else keys / f"{fields['name']}.key"
        places = {"directory": directory, "root": secrets / fields["root"], "key": key}
        outputs.append(Output(**fields | places))
    return outputs
