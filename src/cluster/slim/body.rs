//! An answer on its way: its bytes come in, and those of the reduced answer go out.

use axum::body::{Body as Reduced, Bytes};
use futures::stream::{BoxStream, StreamExt, try_unfold};
use kube::client::Body;
use memchr::memchr;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::{Semaphore, SemaphorePermit};
use tracing::warn;

use super::error::BadAnswer;
use super::items::{Item, Items, LONGEST};
use super::object::{Kept, mended, reduce};

/// What an answer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// A list, and what is kept of its items.
    List(Kept),
    /// The events of a watch, and what is kept of their objects.
    Events(Kept),
    /// One object.
    Object(Kept),
    /// One object, of which everything is kept that can be parsed.
    Mended,
    /// Anything else.
    AsItIs,
}

/// So much of an object is read without a permit. Most objects are shorter.
const SHORT: usize = 64 * 1024;

/// The permits to read a longer one, in the whole process. They are held while the API server sends it and never while
/// anything else is waited for.
static PERMITS: Semaphore = Semaphore::const_new(4);

/// An error of the connection, as it came.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// An answer that comes in.
pub(super) struct Answer {
    incoming: BoxStream<'static, Result<Bytes, axum::Error>>,
    reducer: Reducer,
    permit: Option<SemaphorePermit<'static>>,
    has_ended: bool,
}

impl Answer {
    pub(super) fn new(body: Body, shape: Shape) -> Self {
        let incoming = Reduced::new(body).into_data_stream().boxed();
        Self { incoming, reducer: Reducer::new(shape), permit: None, has_ended: false }
    }

    pub(super) fn into_body(self) -> Reduced {
        Reduced::from_stream(try_unfold(self, |mut answer| async move {
            Ok::<_, Failure>(answer.next().await?.map(|bytes| (bytes, answer)))
        }))
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        while !self.has_ended {
            let mut out = Vec::new();
            if let Some(chunk) = self.incoming.next().await {
                let chunk = chunk?;
                if self.permit.is_none() && self.reducer.held() + chunk.len() > SHORT {
                    self.permit = PERMITS.acquire().await.ok();
                }
                self.reducer.push(&chunk, &mut out)?;
            } else {
                self.has_ended = true;
                self.reducer.finish(&mut out)?;
            }
            if self.reducer.held() <= SHORT {
                self.permit = None;
            }
            if !out.is_empty() {
                return Ok(Some(out.into()));
            }
        }
        Ok(None)
    }
}

/// Reduces an answer. It waits for nothing.
enum Reducer {
    List(Items, Kept),
    Events(Lines, Kept),
    Object(Vec<u8>, Option<Kept>),
    AsItIs,
}

impl Reducer {
    fn new(shape: Shape) -> Self {
        match shape {
            Shape::List(kept) => Self::List(Items::default(), kept),
            Shape::Events(kept) => Self::Events(Lines::default(), kept),
            Shape::Object(kept) => Self::Object(Vec::new(), Some(kept)),
            Shape::Mended => Self::Object(Vec::new(), None),
            Shape::AsItIs => Self::AsItIs,
        }
    }

    /// How much of the current object is in memory.
    fn held(&self) -> usize {
        match self {
            Self::List(items, _) => items.held(),
            Self::Events(lines, _) => lines.line.len(),
            Self::Object(text, _) => text.len(),
            Self::AsItIs => 0,
        }
    }

    fn push(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) -> Result<(), BadAnswer> {
        match self {
            Self::List(items, kept) => {
                while !bytes.is_empty() {
                    if let Some(item) = items.next(&mut bytes, out)?
                        && let Some(item) = reduced(item, *kept)
                    {
                        items.write(&item, out);
                    }
                }
            }
            Self::Events(lines, kept) => {
                while !bytes.is_empty() {
                    if let Some(line) = lines.next(&mut bytes) {
                        out.extend(event(line, *kept)?);
                    }
                }
            }
            Self::Object(text, _) if text.len() + bytes.len() > LONGEST => return Err(BadAnswer::TooLong),
            Self::Object(text, _) => text.extend_from_slice(bytes),
            Self::AsItIs => out.extend_from_slice(bytes),
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), BadAnswer> {
        match self {
            Self::List(items, _) => items.finish()?,
            // A connection that broke off: the client library asks again.
            Self::Events(lines, _) => out.append(&mut lines.line),
            Self::Object(text, kept) => {
                let text = std::mem::take(text);
                let other = match kept {
                    Some(kept) => reduce(&text, *kept).ok(),
                    None => mended(&text).ok().flatten(),
                };
                // What is no object is for the client library to tell.
                *out = other.unwrap_or(text);
            }
            Self::AsItIs => {}
        }
        Ok(())
    }
}

/// What is kept of an item; `None` if nothing can be read of it.
fn reduced(item: Item, kept: Kept) -> Option<Vec<u8>> {
    let reduced = match item {
        Item::Text(text) => reduce(&text, kept).or_else(|_| reduce(&text, Kept::Identity)).ok(),
        Item::TooLong => None,
    };
    if reduced.is_none() {
        left_out();
    }
    reduced
}

/// Nothing of it is logged: it may be anything.
fn left_out() {
    warn!("the API server sent an object that cannot be read at all, and is left out");
}

/// What is kept of an event of a watch.
fn event(line: Item, kept: Kept) -> Result<Vec<u8>, BadAnswer> {
    #[derive(Deserialize, Serialize)]
    struct Event<'a> {
        r#type: &'a str,
        #[serde(borrow)]
        object: &'a RawValue,
    }
    let Item::Text(line) = line else {
        left_out();
        return Ok(Vec::new());
    };
    if line.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    let Event { r#type, object } = serde_json::from_slice(&line).map_err(|_| BadAnswer::NoEvents)?;
    let mut out = match r#type {
        "ADDED" | "MODIFIED" | "DELETED" => {
            let Some(object) = reduced(Item::Text(object.get().into()), kept) else { return Ok(Vec::new()) };
            let object = serde_json::from_slice(&object).map_err(|_| BadAnswer::NoEvents)?;
            serde_json::to_vec(&Event { r#type, object }).map_err(|_| BadAnswer::NoEvents)?
        }
        // The end of a watch and its bookmarks have no object of a user.
        _ => line,
    };
    out.push(b'\n');
    Ok(out)
}

/// Splits the events of a watch: one a line.
#[derive(Default)]
struct Lines {
    line: Vec<u8>,
    is_too_long: bool,
}

impl Lines {
    /// Takes bytes up to the end of the next line, and returns it; `None` if they end before.
    fn next(&mut self, bytes: &mut &[u8]) -> Option<Item> {
        let end = memchr(b'\n', bytes);
        let (taken, rest) =
            bytes.split_at_checked(end.map_or(bytes.len(), |end| end + 1)).unwrap_or((bytes, &[]));
        *bytes = rest;
        self.is_too_long |= self.line.len() + taken.len() > LONGEST;
        if self.is_too_long {
            self.line = Vec::new();
        } else {
            self.line.extend_from_slice(taken);
        }
        end?;
        let line = std::mem::take(&mut self.line);
        Some(if std::mem::take(&mut self.is_too_long) { Item::TooLong } else { Item::Text(line) })
    }
}
