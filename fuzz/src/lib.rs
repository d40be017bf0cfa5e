//! The fuzz targets of certorder, one for each entry of [`checks::ALL`]. See CONTRIBUTING.md.

pub mod checks;
pub mod memory;

/// The program of one target.
#[macro_export]
macro_rules! target {
    ($check:ident) => {
        libfuzzer_sys::fuzz_target!(|data: &[u8]| {
            $crate::memory::limit();
            $crate::checks::$check::check(data);
        });
    };
}
