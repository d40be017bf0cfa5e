//! A reply's body on its way to the client, which a fault can cut off.

use std::io;

use axum::body::Bytes;
use futures::{Stream, StreamExt, stream, stream::BoxStream};
use tokio::sync::watch;

/// A body that still flows.
pub(super) struct OpenBody {
    pub(super) upstream: BoxStream<'static, reqwest::Result<Bytes>>,
    /// How many more bytes may pass.
    pub(super) left: usize,
    /// Changes when open replies must end.
    pub(super) cut: watch::Receiver<usize>,
    /// Closed when the proxy is gone.
    pub(super) running: watch::Receiver<()>,
}

impl OpenBody {
    pub(super) fn into_stream(self) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        stream::unfold(self, |mut body| async move {
            let chunk = body.next().await?;
            Some((chunk, body))
        })
    }

    /// The next bytes. An error closes the connection, so that the client sees a reply that broke off.
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        if self.left == 0 {
            // Lets what was passed on so far reach the client.
            tokio::task::yield_now().await;
            return Some(Err(cut_off()));
        }
        tokio::select! {
            biased;
            _ = self.cut.changed() => Some(Err(cut_off())),
            () = closed(&mut self.running) => Some(Err(cut_off())),
            chunk = self.upstream.next() => Some(chunk?.map_err(io::Error::other).map(|chunk| self.within_limit(chunk))),
        }
    }

    fn within_limit(&mut self, mut chunk: Bytes) -> Bytes {
        chunk.truncate(self.left);
        self.left -= chunk.len();
        chunk
    }
}

/// A body that still flows.
pub(super) type Flow = BoxStream<'static, io::Result<Bytes>>;

/// What takes the place of a text in a body on its way.
#[derive(Clone, Debug)]
pub enum Filling {
    /// Another text.
    Text(&'static str),
    /// So many bytes: a large object that takes no memory here.
    Bytes(usize),
}

impl Filling {
    fn pieces(&self) -> Vec<Bytes> {
        static FILLER: [u8; 64 * 1024] = [b'x'; 64 * 1024];
        match self {
            Self::Text(text) => vec![Bytes::from_static(text.as_bytes())],
            Self::Bytes(count) => {
                let all = Bytes::from_static(&FILLER);
                let last = all.slice(..count % FILLER.len());
                std::iter::repeat_n(all, count / FILLER.len()).chain([last]).collect()
            }
        }
    }
}

/// The body with each of these texts replaced.
pub(super) fn replaced(body: Flow, texts: Vec<(&'static str, Filling)>) -> Flow {
    // The end of what came so far, in which a text may have begun.
    let mut rest = Vec::new();
    let chunks = body.map(Some).chain(stream::once(async { None }));
    let pieces = chunks.flat_map(move |chunk| {
        let mut pieces = Vec::new();
        match chunk {
            Some(Ok(chunk)) => {
                rest.extend_from_slice(&chunk);
                while let Some((begin, text, filling)) = first(&rest, &texts) {
                    pieces.push(Ok(rest.drain(..begin).collect()));
                    pieces.extend(filling.pieces().into_iter().map(Ok));
                    rest.drain(..text.len());
                }
                let whole = rest.len() - begun(&rest, &texts);
                pieces.push(Ok(rest.drain(..whole).collect()));
            }
            Some(Err(error)) => pieces.push(Err(error)),
            None => pieces.push(Ok(std::mem::take(&mut rest).into())),
        }
        stream::iter(pieces)
    });
    let is_something = |piece: &io::Result<Bytes>| !piece.as_ref().is_ok_and(Bytes::is_empty);
    pieces.filter(move |piece| std::future::ready(is_something(piece))).boxed()
}

/// How many bytes at the end may be the beginning of one of these texts. What is not passes at once, so that events flow.
fn begun(bytes: &[u8], texts: &[(&'static str, Filling)]) -> usize {
    let of = |text: &[u8]| (1..text.len()).rev().find(|length| bytes.ends_with(text.split_at(*length).0));
    texts.iter().filter_map(|(text, _)| of(text.as_bytes())).max().unwrap_or_default()
}

/// The first of these texts, and where it begins.
fn first<'a>(bytes: &[u8], texts: &'a [(&'static str, Filling)]) -> Option<(usize, &'a str, &'a Filling)> {
    let find = |text: &str| bytes.windows(text.len()).position(|window| window == text.as_bytes());
    let found = texts.iter().filter_map(|(text, filling)| Some((find(text)?, *text, filling)));
    found.min_by_key(|(begin, ..)| *begin)
}

/// Resolves when the proxy is gone.
pub(super) async fn closed(running: &mut watch::Receiver<()>) {
    while running.changed().await.is_ok() {}
}

fn cut_off() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the proxy cut the connection")
}
