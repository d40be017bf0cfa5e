//! Times as the API writes them.

use crate::clock;

/// The time now as `metav1.Time` prints it.
pub(crate) fn timestamp() -> String {
    clock::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
