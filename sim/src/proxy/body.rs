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

/// Resolves when the proxy is gone.
pub(super) async fn closed(running: &mut watch::Receiver<()>) {
    while running.changed().await.is_ok() {}
}

fn cut_off() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the proxy cut the connection")
}
