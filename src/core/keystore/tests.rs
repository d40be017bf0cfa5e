use std::collections::BTreeSet;

use jiff::Timestamp;
use p12_keystore::{KeyStore, KeyStoreEntry, Pkcs12Archive, Pkcs12ImportPolicy};
use strum::IntoEnumIterator;

use super::content::{LONGEST_ALIAS, LONGEST_PASSWORD};
use super::*;
use crate::core::application::KeyAlgorithm;
use crate::core::chain::Chain;
use crate::core::keypair::KeyPair;

/// A key made for these tests, and a certificate of it, by openssl.
const KEY: &str = include_str!("testdata/key.pem");
const CHAIN: &str = include_str!("testdata/chain.pem");
/// Written by the JDK's keytool with the password `changeit`, the alias WWW, and the two files above.
const JAVA: &[u8] = include_bytes!("testdata/java.jks");

struct Content {
    key: KeyPair,
    chain: Chain,
    password: Password,
    alias: Alias,
}

impl Content {
    fn new(password: &str) -> Self {
        Self {
            key: KeyPair::from_pem(&KEY.into()).unwrap(),
            chain: Chain::parse(CHAIN).unwrap(),
            password: Password::new(Format::Jks, password.into()).unwrap(),
            alias: Alias::parse("WWW").unwrap(),
        }
    }

    fn keystore(&self) -> Keystore<'_> {
        Keystore { key: &self.key, chain: &self.chain, password: &self.password, alias: &self.alias }
    }
}

#[test]
fn a_jks_file_is_byte_for_byte_what_java_writes() {
    let content = Content::new("changeit");
    // Magic, version, count, tag and alias come first; then the date, and the salt behind 28 bytes of DER.
    let date = i64::from_be_bytes(JAVA[21..29].try_into().unwrap());
    let salt = JAVA[29 + 4 + 22..][..20].try_into().unwrap();
    let created = Timestamp::from_millisecond(date).unwrap();
    assert_eq!(jks::encode(&content.keystore(), &salt, created), JAVA);
}

#[test]
fn key_and_chain_come_back_out_of_pkcs12_with_the_password_alone() {
    for password in ["changeit", "p", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ ", &"long ".repeat(200)] {
        let password_of_pkcs12 = Password::new(Format::Pkcs12, password.into()).unwrap();
        let content = Content { password: password_of_pkcs12, ..Content::new(password) };
        let file = content.keystore().write(Format::Pkcs12).unwrap();

        let store = KeyStore::from_pkcs12(&file, password, Pkcs12ImportPolicy::Strict).unwrap();
        let Some(KeyStoreEntry::PrivateKeyChain(entry)) = store.entry("www") else { panic!("{store:?}") };
        assert_eq!(entry.key().as_der(), content.key.pkcs8_der());
        assert!(entry.certs().iter().map(p12_keystore::Certificate::as_der).eq(content.chain.ders()));
        assert_eq!(store.entries_len(), 1);

        assert!(Pkcs12Archive::from_pkcs12(&file, "another").is_err());
    }
}

#[test]
fn key_and_leaf_have_the_alias_as_their_name_and_no_other_has_one() {
    let content = Content::new("changeit");
    let file = content.keystore().write(Format::Pkcs12).unwrap();
    let archive = Pkcs12Archive::from_pkcs12(&file, "changeit").unwrap();
    let keys = archive
        .keys
        .iter()
        .map(|key| (key.friendly_name.as_deref(), key.local_key_id.clone().map(|id| id.0)));
    let certificates =
        archive.certs.iter().map(|bag| (bag.friendly_name.as_deref(), bag.local_key_id.clone()));
    let keys: Vec<_> = keys.collect();
    assert!(matches!(keys.as_slice(), [(Some("www"), Some(_))]), "{keys:?}");
    let certificates: Vec<_> = certificates.collect();
    assert_eq!(certificates, [keys[0].clone(), (None, None)]);
    let ders = archive.certs.iter().map(|bag| bag.cert.as_der());
    assert!(ders.eq(content.chain.ders()));
}

#[test]
fn the_same_content_makes_the_same_file() {
    for format in Format::iter() {
        let [one, again] = [(); 2].map(|()| Content::new("changeit").keystore().write(format).unwrap());
        assert_eq!(one, again);
        assert_ne!(one, Content::new("changed").keystore().write(format).unwrap());
    }
}

#[test]
fn every_kind_of_key_fits_into_every_format() {
    for algorithm in [KeyAlgorithm::Rsa(2048), KeyAlgorithm::Ecdsa(384)] {
        let content = Content { key: KeyPair::generate(algorithm).unwrap(), ..Content::new("changeit") };
        let file = content.keystore().write(Format::Pkcs12).unwrap();
        let keys = Pkcs12Archive::from_pkcs12(&file, "changeit").unwrap().keys;
        assert_eq!(keys[0].key.as_der(), content.key.pkcs8_der());
        assert!(!content.keystore().write(Format::Jks).unwrap().is_empty());
    }
}

#[test]
fn a_mark_tells_a_content_from_any_other() {
    let leaf_only =
        Chain::parse(CHAIN.split_inclusive("-----END CERTIFICATE-----\n").next().unwrap()).unwrap();
    let contents = [
        Content::new("changeit"),
        Content::new("changed"),
        Content { key: KeyPair::generate(KeyAlgorithm::Ecdsa(256)).unwrap(), ..Content::new("changeit") },
        Content { chain: leaf_only, ..Content::new("changeit") },
        Content { alias: Alias::default(), ..Content::new("changeit") },
    ];
    let marks: BTreeSet<String> = contents
        .iter()
        .flat_map(|content| Format::iter().map(|format| content.keystore().mark(format)))
        .collect();
    assert_eq!(marks.len(), 2 * contents.len());
    assert!(marks.contains(&Content::new("changeit").keystore().mark(Format::Pkcs12)), "the same again");
}

#[test]
fn no_salt_serves_twice() {
    let (one, other) = (Content::new("changeit"), Content::new("changed"));
    let key =
        Content { key: KeyPair::generate(KeyAlgorithm::Ecdsa(256)).unwrap(), ..Content::new("changeit") };
    let salts = [
        one.keystore().derive::<16>("key salt"),
        one.keystore().derive::<16>("key IV"),
        one.keystore().derive::<16>("certificates salt"),
        one.keystore().derive::<16>("certificates IV"),
        one.keystore().derive::<16>("MAC salt"),
        other.keystore().derive::<16>("key salt"),
        key.keystore().derive::<16>("key salt"),
    ];
    assert!(salts.iter().enumerate().all(|(at, salt)| !salts[at + 1..].contains(salt)));
}

#[test]
fn unusable_passwords_and_aliases_are_refused() {
    for password in [String::new(), "x".repeat(LONGEST_PASSWORD + 1)] {
        for format in Format::iter() {
            assert_eq!(Password::new(format, password.clone().into()).err(), Some(KeystoreError::Password));
        }
    }
    for password in ["密码", "pässword", "p\u{a0}"] {
        assert_eq!(Password::new(Format::Pkcs12, password.into()).err(), Some(KeystoreError::NotAscii));
        assert!(Password::new(Format::Jks, password.into()).is_ok());
    }
    for alias in ["", "密钥", "a\nb", &"a".repeat(LONGEST_ALIAS + 1)] {
        assert_eq!(Alias::parse(alias), Err(KeystoreError::Alias));
    }
    assert_eq!(Alias::parse("My Shop"), Ok(Alias("my shop".to_owned())));
}

#[test]
fn a_password_prints_nothing() {
    assert!(!format!("{:?}", Content::new("changeit").keystore()).contains("changeit"));
}
