//! Splits a list of the API server into its items as its text comes in, so that no more than one item is in memory.

use memchr::memchr2;

use super::error::BadAnswer;

/// The longest item. The API server takes no longer request, and its storage holds less.
pub(super) const LONGEST: usize = 3 * 1024 * 1024;

/// The most text around the items.
const LONGEST_AROUND: usize = 64 * 1024;

/// The name of the field with the items.
const ITEMS: &[u8] = b"items";

/// How deep the items are: in the object that is the list, and in its array.
const BETWEEN: usize = 2;

/// Splits one list. It knows the strings and brackets of JSON and nothing else: each item is parsed by itself.
#[derive(Default)]
pub(super) struct Items {
    depth: usize,
    string: InString,
    /// The last string of the list itself: the name of a field, until its value.
    name: Vec<u8>,
    /// Whether the array of items has begun and not ended; whether it has begun; whether it has an item so far.
    is_open: bool,
    has_begun: bool,
    has_written: bool,
    item: Option<Item>,
    around: usize,
}

/// Whether the next byte belongs to a string.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum InString {
    #[default]
    No,
    Yes,
    /// After a backslash.
    Escaped,
}

/// An item.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Item {
    /// Its text.
    Text(Vec<u8>),
    /// It is longer than any may be.
    TooLong,
}

impl Items {
    /// Takes bytes up to the end of the next item, and returns it; `None` if they end before. What is around the items
    /// goes to `out`, where [`Items::write`] puts each of them.
    pub(super) fn next(&mut self, bytes: &mut &[u8], out: &mut Vec<u8>) -> Result<Option<Item>, BadAnswer> {
        while let Some(byte) = bytes.first().copied() {
            let length = if self.string == InString::No { self.mark(byte)? } else { self.string(bytes) };
            let (taken, rest) = bytes.split_at_checked(length).ok_or(BadAnswer::NoList)?;
            *bytes = rest;
            self.keep(taken, out)?;
            if self.is_between() && self.item.is_some() {
                return Ok(self.item.take());
            }
        }
        Ok(None)
    }

    /// Writes an item into the list.
    pub(super) fn write(&mut self, item: &[u8], out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.has_written, true) {
            out.push(b',');
        }
        out.extend_from_slice(item);
    }

    /// Whether the list is complete.
    pub(super) fn finish(&self) -> Result<(), BadAnswer> {
        if self.depth == 0 && self.has_begun { Ok(()) } else { Err(BadAnswer::NoList) }
    }

    /// How much of an unfinished item is in memory.
    pub(super) fn held(&self) -> usize {
        match &self.item {
            Some(Item::Text(text)) => text.len(),
            Some(Item::TooLong) | None => 0,
        }
    }

    fn is_between(&self) -> bool {
        self.is_open && self.depth == BETWEEN
    }

    /// The length of what belongs to the string that has begun.
    fn string(&mut self, bytes: &[u8]) -> usize {
        if self.string == InString::Escaped {
            self.string = InString::Yes;
            return 1;
        }
        let end = memchr2(b'"', b'\\', bytes);
        let is_end = |end: &usize| bytes.get(*end) == Some(&b'"');
        self.string = match &end {
            Some(end) if is_end(end) => InString::No,
            Some(_) => InString::Escaped,
            None => InString::Yes,
        };
        let length = end.map_or(bytes.len(), |end| end + 1);
        if self.depth == 1 && self.name.len() <= ITEMS.len() {
            // Up to its end, or with the backslash, which stands in no name that is looked for.
            let text = length - usize::from(self.string == InString::No);
            self.name.extend(bytes.iter().take(text.min(ITEMS.len() + 1)));
        }
        length
    }

    /// Takes one byte outside of strings.
    fn mark(&mut self, byte: u8) -> Result<usize, BadAnswer> {
        match byte {
            b'{' if self.is_between() => {
                self.item = Some(Item::Text(Vec::new()));
                self.depth += 1;
            }
            b']' if self.is_between() => {
                self.is_open = false;
                self.depth -= 1;
            }
            b',' | b' ' | b'\n' | b'\r' | b'\t' if self.is_between() => {}
            _ if self.is_between() => return Err(BadAnswer::NoList),
            b'[' if self.depth == 1 && self.name == ITEMS => {
                (self.is_open, self.has_begun) = (true, true);
                self.depth += 1;
            }
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.checked_sub(1).ok_or(BadAnswer::NoList)?,
            b'"' => {
                self.string = InString::Yes;
                self.name.clear();
            }
            b',' if self.depth == 1 => self.name.clear(),
            _ => {}
        }
        Ok(1)
    }

    fn keep(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), BadAnswer> {
        let is_between = self.is_between();
        match &mut self.item {
            Some(Item::Text(text)) if text.len() + bytes.len() <= LONGEST => text.extend_from_slice(bytes),
            Some(item) => *item = Item::TooLong,
            // Whitespace and commas; the commas are written anew.
            None if is_between && bytes != b"[" => {}
            None => {
                self.around += bytes.len();
                if self.around > LONGEST_AROUND {
                    return Err(BadAnswer::NoList);
                }
                out.extend_from_slice(bytes);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::*;

    /// The items of a list that comes in these chunks, and the list that is written from them.
    fn split<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Result<(Vec<Item>, Vec<u8>), BadAnswer> {
        let (mut splitter, mut found, mut out) = (Items::default(), Vec::new(), Vec::new());
        for mut chunk in chunks {
            while !chunk.is_empty() {
                if let Some(item) = splitter.next(&mut chunk, &mut out)? {
                    if let Item::Text(text) = &item {
                        splitter.write(text, &mut out);
                    }
                    found.push(item);
                }
            }
        }
        splitter.finish()?;
        Ok((found, out))
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-z\"\\\\\\[\\]{},: \n\u{e9}\u{1f600}]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..4).prop_map(Value::from),
                btree_map("(items|[a-z\"\\\\{]{0,6})", inner, 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    fn any_object() -> impl Strategy<Value = Map<String, Value>> {
        btree_map("(items|metadata|[a-z\"\\\\]{0,6})", any_value(), 0..4)
            .prop_map(|fields| fields.into_iter().collect())
    }

    proptest! {
        #[test]
        fn every_item_is_found_as_a_parser_finds_it(
            around in any_object(), items in vec(any_object(), 0..5), pretty: bool, size in 1_usize..40,
        ) {
            let items: Vec<Value> = items.into_iter().map(Value::Object).collect();
            let mut list = around;
            list.insert("items".to_owned(), Value::from(items.clone()));
            let list = Value::Object(list);
            let text = if pretty { serde_json::to_vec_pretty(&list) } else { serde_json::to_vec(&list) }.unwrap();
            let (found, out) = split(text.chunks(size)).unwrap();
            let found: Vec<Value> = found
                .into_iter()
                .map(|item| match item {
                    Item::Text(text) => serde_json::from_slice(&text).unwrap(),
                    Item::TooLong => panic!("it is short"),
                })
                .collect();
            prop_assert_eq!(found, items);
            prop_assert_eq!(serde_json::from_slice::<Value>(&out).unwrap(), list);
        }

        #[test]
        fn nothing_that_comes_in_ends_the_process(text in "[ite\"ms:\\[\\]{},\\\\ ]{0,60}", size in 1_usize..9) {
            let _ = split(text.as_bytes().chunks(size));
        }
    }

    #[test]
    fn an_item_that_is_too_long_is_told_and_takes_no_memory() {
        let long = json!({"a": "x".repeat(LONGEST)});
        let text = serde_json::to_vec(&json!({"items": [{"b": 1}, long, {"c": 2}]})).unwrap();
        let (found, out) = split(text.chunks(64 * 1024)).unwrap();
        let first = Item::Text(br#"{"b":1}"#.to_vec());
        assert_eq!(found, [first, Item::TooLong, Item::Text(br#"{"c":2}"#.to_vec())]);
        assert_eq!(serde_json::from_slice::<Value>(&out).unwrap(), json!({"items": [{"b": 1}, {"c": 2}]}));
    }

    #[test]
    fn what_is_no_list_or_ends_early_is_an_error() {
        let around = format!(r#"{{"kind":"{}","items":[]}}"#, "x".repeat(LONGEST_AROUND));
        for text in ["", "{}", "no", r#"{"items":null}"#, r#"{"items":[{}"#, r#"{"items":[1]}"#, "}", &around]
        {
            assert!(split([text.as_bytes()]).is_err(), "{}", text.get(..40).unwrap_or(text));
        }
    }
}
