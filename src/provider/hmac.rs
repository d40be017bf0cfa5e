//! HMAC-SHA256 that leaves no copy of its key behind (RFC 2104).

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The block size of SHA-256 in bytes.
const BLOCK: usize = 64;

/// The code of a message under a key of any length.
#[must_use]
pub fn hmac(key: &[u8], message: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new(&(*key_block(key)).into());
    mac.update(message);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// The key as one block: hashed when it is longer, then filled up with zeros (RFC 2104, section 2).
fn key_block(key: &[u8]) -> Zeroizing<[u8; BLOCK]> {
    let mut block = Zeroizing::new([0; BLOCK]);
    if key.len() > BLOCK {
        let digest: Zeroizing<[u8; 32]> = Zeroizing::new(Sha256::digest(key).into());
        block.iter_mut().zip(digest.iter()).for_each(|(to, from)| *to = *from);
    } else {
        block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_every_length_are_those_of_rfc_2104() {
        for length in [0, 1, 63, 64, 65, 200] {
            let key = vec![7; length];
            let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            mac.update(b"message");
            assert_eq!(hmac(&key, b"message").as_slice(), mac.finalize().into_bytes().as_slice(), "{length}");
        }
    }
}
