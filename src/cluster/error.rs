//! Errors of the API server, explained with what to do about them.

use std::error::Error;
use std::time::Duration;

use kube::core::Status;
use kube::runtime::watcher;
use tokio::time::Instant;
use tokio::time::error::Elapsed;

use crate::cluster::slim::BadAnswer;
use crate::core::text::shown;

/// What went wrong, and what the reader can do next.
#[must_use]
pub fn explain(error: &(dyn Error + 'static)) -> String {
    shown(&chain(error).find_map(known).unwrap_or_else(|| causes(error)), LONGEST)
}

/// The longest explanation, in bytes: an API server, or a webhook of it, may say anything.
const LONGEST: usize = 2048;

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

fn known(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(watcher::Error::WatchError(status)) = error.downcast_ref() {
        return Some(of_answer(status));
    }
    if let Some(bad) = error.downcast_ref::<BadAnswer>() {
        return Some(format!("{bad}; is something else in between that answers for it?"));
    }
    Some(match error.downcast_ref()? {
        kube::Error::Service(cause) if chain(cause.as_ref()).any(<dyn Error>::is::<BadAnswer>) => {
            return None;
        }
        kube::Error::Api(status) => of_answer(status),
        kube::Error::Service(cause) => no_answer(cause.as_ref()),
        kube::Error::HyperError(cause) => no_answer(cause),
        // Its text may quote the answer, which may be a Secret.
        kube::Error::SerdeError(_) => {
            let sent = "what the API server sent cannot be read by this version of certorder";
            format!("{sent}; run the version that it was written for")
        }
        kube::Error::Auth(cause) => {
            format!(
                "there is no token for the API server: {}; check the user of the kubeconfig",
                causes(cause)
            )
        }
        _ => return None,
    })
}

/// Whether the API server takes nothing new since the namespace is being deleted.
#[must_use]
pub fn is_namespace_terminating(error: &kube::Error) -> bool {
    let kube::Error::Api(status) = error else { return false };
    let mut causes = status.details.iter().flat_map(|details| &details.causes);
    status.code == 403 && causes.any(|cause| cause.reason == "NamespaceTerminating")
}

fn no_answer(cause: &(dyn Error + 'static)) -> String {
    if chain(cause).any(<dyn Error>::is::<Elapsed>) {
        return "the API server does not answer in time; is it starting or overloaded, or a firewall in between?"
            .to_owned();
    }
    format!(
        "the API server cannot be reached: {}; is it up, and its address in the kubeconfig right?",
        causes(cause)
    )
}

/// Explains an answer of the API server. Every request is retried, so the text says only what a person can fix.
fn of_answer(status: &Status) -> String {
    let Status { code, message, .. } = status;
    let message = message.trim();
    match code {
        401 => format!(
            "the API server refuses the token (401, {message}): it has expired or is not valid; a renewed token file \
             is read by itself, a token that stands in the kubeconfig only at a start"
        ),
        // While a namespace is being deleted, its refusals are not for the user to fix.
        403 if message.contains(" cannot ") && !message.contains("being terminated") => format!(
            "{message} (403); grant what the chart and deploy/ grant, see docs/install.md, Permissions"
        ),
        404 if message.starts_with("namespaces ") => {
            format!("{message} (404); create the namespace, or name another one")
        }
        404 if !names_an_object(status) => format!(
            "the API server does not know the kind ({message}): are the CRDs installed? \
             kubectl apply --server-side -f crds/"
        ),
        _ => format!("{message} ({code})"),
    }
}

/// Whether the answer is about one object: then the API server knows the kind.
fn names_an_object(status: &Status) -> bool {
    status.details.as_ref().is_some_and(|details| !details.name.is_empty())
}

/// An error with its causes, each once: kube's own texts repeat some of them.
fn causes(error: &(dyn Error + 'static)) -> String {
    chain(error).map(ToString::to_string).fold(String::new(), |text, cause| match text.as_str() {
        "" => cause,
        _ if text.contains(&cause) => text,
        _ => format!("{text}: {cause}"),
    })
}

/// Logs a repeated error once a minute: what is retried every second is not logged every second.
#[derive(Default)]
pub struct LogOnce(Option<(String, Instant)>);

impl LogOnce {
    /// Whether to log this text now.
    pub fn is_new(&mut self, text: &str) -> bool {
        const A_WHILE: Duration = Duration::from_mins(1);
        if self.0.as_ref().is_some_and(|(logged, at)| logged == text && at.elapsed() < A_WHILE) {
            return false;
        }
        self.0 = Some((text.to_owned(), Instant::now()));
        true
    }
}

#[cfg(test)]
mod tests {
    use kube::core::response::StatusDetails;

    use super::*;

    fn answer(code: u16, message: &str) -> kube::Error {
        kube::Error::Api(Status::failure(message, "").with_code(code).boxed())
    }

    #[test]
    fn every_error_of_the_api_server_says_what_to_do() {
        let refused = std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "Connection refused");
        let details: StatusDetails = serde_json::from_value(serde_json::json!({"name": "www-tls"})).unwrap();
        let not_found = Status::failure("secrets \"www-tls\" not found", "NotFound");
        let not_found = Status { details: Some(details), ..not_found.with_code(404) };
        let cases = [
            (kube::Error::Api(not_found.boxed()), "secrets \"www-tls\" not found (404)"),
            (answer(401, "Unauthorized"), "refuses the token (401, Unauthorized)"),
            (
                answer(403, "secrets is forbidden: User \"op\" cannot list resource \"secrets\""),
                "cannot list resource \"secrets\" (403); grant",
            ),
            (answer(404, "404 page not found"), "are the CRDs installed?"),
            (answer(404, "namespaces \"shop\" not found"), "create the namespace"),
            (answer(500, "etcd is gone"), "etcd is gone (500)"),
            (kube::Error::Service(refused.into()), "cannot be reached: Connection refused; is it up"),
        ];
        for (error, wanted) in cases {
            let seen = explain(&error);
            assert!(seen.contains(wanted), "{seen}");
            // Wrapped as by a watch.
            assert_eq!(explain(&watcher::Error::InitialListFailed(error)), seen);
        }
        let expired =
            watcher::Error::WatchError(Status::failure("too old", "Expired").with_code(410).boxed());
        assert_eq!(explain(&expired), "too old (410)");
    }

    #[tokio::test(start_paused = true)]
    async fn what_repeats_every_second_is_logged_once_a_minute() {
        let mut log_once = LogOnce::default();
        let mut news = Vec::new();
        for second in 0..100 {
            if log_once.is_new("no answer") {
                news.push(second);
            }
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert_eq!(news, [0, 60]);
        assert!(log_once.is_new("another error"));
    }
}
