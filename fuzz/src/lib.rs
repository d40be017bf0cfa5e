//! The fuzz targets of certorder: the programs of [`target!`], one for each check in `checks`. See CONTRIBUTING.md.

mod checks;
mod memory;

/// Checks one input by the check of this name, in bounded memory.
pub fn check(name: &str, data: &[u8]) {
    let check = checks::ALL.iter().find(|(other, _)| *other == name);
    let (_, check) = check.expect("every target has a check");
    memory::limit();
    check(data);
}

/// The program of one target.
#[macro_export]
macro_rules! target {
    ($name:ident) => {
        libfuzzer_sys::fuzz_target!(|data: &[u8]| $crate::check(stringify!($name), data));
    };
}
