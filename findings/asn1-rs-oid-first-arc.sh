#!/usr/bin/env bash
# asn1-rs 0.7.2 (beneath x509-parser 0.18) writes an object identifier wrongly if its first two arcs take more than one
# byte: 2.999.3 becomes 3.16.55.3, although no identifier begins with 3. OpenSSL reads the same bytes as 2.999.3.
#
# The first two arcs, X and Y, are one number, 40 * X + Y, in as many bytes as it takes (X.690, 8.19.4). From 2.48 on that
# is more than one byte. The crate divides the first byte alone by 40.
#
# Seen with asn1-rs 0.7.2 and OpenSSL 3.0:
#
#   2.16.840 as bytes 60 86 48: asn1-rs 2.16.840, OpenSSL 2.16.840
#   2.999.3  as bytes 88 37 03: asn1-rs 3.16.55.3, OpenSSL 2.999.3
#
# What follows: certorder compares object identifiers with lists of known ones, which all begin with one byte, and shows
# those that it does not know (core/certificate/requested.rs); such a message may name another identifier than was sent.
# Needs cargo and openssl. Fails if any of that changes.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/src"
cat > "$work/Cargo.toml" <<'TOML'
[package]
name = "oid"
version = "0.0.0"
edition = "2021"

[dependencies]
asn1-rs = { version = "=0.7.2", default-features = false, features = ["std"] }
TOML
cat > "$work/src/main.rs" <<'RUST'
use asn1_rs::{FromDer, Oid};

fn main() {
    for content in [&[0x60, 0x86, 0x48][..], &[0x88, 0x37, 0x03]] {
        let der = [&[0x06, content.len() as u8], content].concat();
        println!("{}", Oid::from_der(&der).unwrap().1.to_id_string());
    }
}
RUST
seen=$(cargo run --quiet --manifest-path "$work/Cargo.toml" | paste -sd ' ')
openssl=$(for bytes in '\x06\x03\x60\x86\x48' '\x06\x03\x88\x37\x03'; do
    printf "$bytes" | openssl asn1parse -inform DER | sed 's/.*OBJECT *://'
done | paste -sd ' ')
echo "asn1-rs: $seen"
echo "OpenSSL: $openssl"
[ "$seen" = "2.16.840 3.16.55.3" ] && [ "$openssl" = "2.16.840 2.999.3" ]
