use proptest::prelude::*;

use super::*;

/// 60 bytes, so more than one line.
const BYTES: &[u8] = b"Sixty bytes of content, which is more than one line of PEM..";

fn a() -> String {
    encode("CERTIFICATE", BYTES)
}

/// What was read, as label and length of each block, or the reason.
fn shown(text: &str) -> String {
    match read(text) {
        Ok(blocks) => {
            let blocks = blocks.iter().map(|block| {
                let content = if *block.der == BYTES { "whole" } else { "other" };
                format!("{} {}", block.label, if block.is_encrypted { "encrypted" } else { content })
            });
            blocks.collect::<Vec<_>>().join(", ")
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_shape_that_holds_the_whole_content_is_read() {
    let a = a();
    let (first, last) = a.split_at(a.find("\n-----END").unwrap());
    let body: String = a.lines().filter(|line| !line.starts_with('-')).collect();
    let cases = [
        ("as it is written", a.clone()),
        ("without the last newline", a.trim_end().to_owned()),
        ("CRLF", a.replace('\n', "\r\n")),
        ("CR alone", a.replace('\n', "\r")),
        ("a byte order mark", format!("\u{feff}{a}")),
        ("blanks and tabs at the ends of lines", a.replace('\n', " \t\n")),
        ("indented", "    ".to_owned() + &a.trim_end().replace('\n', "\n    ")),
        ("quoted by no-break spaces", a.replace('\n', "\n\u{a0}")),
        ("blank lines between", a.replace('\n', "\n\n")),
        ("one line", a.replace('\n', " ")),
        ("one line of base 64", format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----")),
        ("no line ends at all", a.replace('\n', "")),
        (
            "short lines",
            body.chars().fold("-----BEGIN CERTIFICATE-----".to_owned(), |mut text, c| {
                text.extend(['\n', c]);
                text
            }) + "\n-----END CERTIFICATE-----",
        ),
        ("text before", format!("subject=CN = www\nissuer=CN = Issuing: yes\n{a}")),
        ("text after", format!("{a}# the end\n")),
        ("a digest before", format!("{}\n{a}", "0123456789abcdef".repeat(4))),
        ("a line of equal signs", format!("{}\n{a}", "=".repeat(70))),
        (
            "bag attributes",
            format!(
                "Bag Attributes\n    localKeyID: 01 2F \n    friendlyName: www\nKey Attributes: <No Attributes>\n{a}"
            ),
        ),
        ("headers", first.replacen('\n', "\nComment: made by hand\nX-Other: 1\n\n", 1) + last),
        ("six hyphens", format!("-{}-\n", a.trim())),
    ];
    for (shape, text) in cases {
        assert_eq!(shown(&text), "CERTIFICATE whole", "{shape}: {text}");
    }
}

#[test]
fn every_block_is_read_however_they_are_joined() {
    let (a, key) = (a(), encode("PRIVATE KEY", b"key"));
    let joined = [
        format!("{a}{a}{key}"),
        format!("{a}\n\n{a}\n{key}"),
        format!("{}{}{key}", a.trim(), a.trim()),
        format!("{} {}\t{key}", a.trim(), a.trim()),
        format!("\u{feff}{a}\u{feff}{a}\u{feff}{key}"),
        format!("{a}a comment\n{}a comment{key}", a.trim()),
        format!("{a}{}{key}", a.replace('\n', "\r\n")),
    ];
    for text in joined {
        assert_eq!(shown(&text), "CERTIFICATE whole, CERTIFICATE whole, PRIVATE KEY other", "{text}");
    }
}

#[test]
fn what_is_not_whole_is_refused_with_the_reason() {
    let a = a();
    let begin = "-----BEGIN CERTIFICATE-----\n";
    let end = "-----END CERTIFICATE-----\n";
    let lines: Vec<&str> = a.lines().collect();
    let cases = [
        ("nothing", String::new(), "there is no line -----BEGIN …----- in it"),
        ("a text", "hello".to_owned(), "there is no line -----BEGIN …----- in it"),
        ("no end", format!("{a}{begin}MII"), "the block CERTIFICATE that begins in line 5 has no end"),
        ("an end that is lost between two", a.replace(end, "") + &a, "that begins in line 1 has no end"),
        ("no begin", a.replace(begin, "") + &a, "line 1 is the content of a block"),
        ("no begin, and nothing before the end", format!("{a}{end}"), "line 5 ends a block CERTIFICATE"),
        ("no marker at all", format!("{a}\n{}\n", lines[1]), "line 6 is the content of a block"),
        ("another end", a.replace(end, "-----END X509 CRL-----"), "begins in line 1 ends as X509 CRL"),
        ("four hyphens at the begin", a.replacen('-', "", 1), "line 1 must be -----BEGIN"),
        ("four hyphens in all markers", a.replace("-----", "----"), "line 1 must be -----BEGIN"),
        ("four hyphens behind the begin", a.replacen("E-----\n", "E----\n", 1), "line 1 must be -----BEGIN"),
        ("four hyphens before the end", a.replace("-----END", "----END"), "line 4 must be -----BEGIN"),
        ("dashes", a.replace("-----", "\u{2014}\u{2014}"), "line 1 must be -----BEGIN"),
        (
            "blanks in markers",
            a.replace("-----BEGIN CERTIFICATE-----", "----- BEGIN CERTIFICATE -----"),
            "line 1 must be",
        ),
        ("joined by too few hyphens", format!("{}{}", a.trim(), &a[2..]), "line 4 must be"),
        ("a label in lower case", a.replace("CERTIFICATE", "certificate"), "line 1 must be"),
        ("an endless label", a.replace("CERTIFICATE", &"X".repeat(65)), "line 1 must be"),
        (r"\n", a.replace('\n', r"\n"), r"line 1 has a backslash, which is no base 64: a line break"),
        ("a word", a.replacen('\n', "\n[...]\n", 1), "line 2 has a sign, which is no base 64"),
        ("a zero-width space", a.replacen('\n', "\n\u{200b}", 1), "line 2 has the character U+200B"),
        (
            "a character lost",
            a.replacen('U', "", 1),
            "the content of the block CERTIFICATE that begins in line 1",
        ),
        ("padding within", a.replacen('\n', "\nQQ==\n", 1), "the content of the block CERTIFICATE that"),
        ("empty", format!("{begin}{end}"), "the content of the block CERTIFICATE that begins in line 1"),
        (
            "a header without an end",
            a.replacen('\n', "\nComment: x ", 1).replace(lines[2], ""),
            "is not whole base 64",
        ),
    ];
    for (shape, text, reason) in cases {
        let error = shown(&text);
        assert!(error.contains(reason), "{shape}: {error}\n{text}");
    }
}

#[test]
fn an_encrypted_block_is_told_from_others() {
    let a = encode("RSA PRIVATE KEY", BYTES);
    let header = "-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n";
    assert_eq!(shown(&a.replacen("-----\n", header, 1)), "RSA PRIVATE KEY encrypted");
    assert_eq!(shown(&a.replacen("-----\n", header, 1).replace('\n', "\r\n")), "RSA PRIVATE KEY encrypted");
    assert_eq!(shown(&a.replacen("-----\n", header, 1).replace('\n', " ")), "RSA PRIVATE KEY encrypted");
    assert_eq!(
        shown(&a.replacen("-----\n", "-----\nProc-Type: 4,MIC-CLEAR\n\n", 1)),
        "RSA PRIVATE KEY whole"
    );
}

proptest! {
    #[test]
    fn what_was_written_is_read_again(
        contents in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..200), 1..4),
        between in "[ \\r\\n\u{feff}a-z:=]{0,20}",
    ) {
        let text: String = contents.iter().map(|der| encode("CERTIFICATE", der) + &between + "\n").collect();
        let read: Vec<_> = read(&text).unwrap().into_iter().map(|block| block.der.to_vec()).collect();
        prop_assert_eq!(read, contents);
    }

    #[test]
    fn no_text_makes_it_panic(text in "(-----(BEGIN|END) [A-Z ]{0,12}-----|-----|\\PC|\n|:|\u{feff}){0,40}") {
        let _ = read(&text);
    }
}
