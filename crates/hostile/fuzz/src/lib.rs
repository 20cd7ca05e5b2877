//! A fuzzer for each target of `hostile`.

pub use {hostile, libfuzzer_sys};

/// A fuzzer of one target. Its seeds are written into the folder that `SEEDS` names, if it does, before it starts.
#[macro_export]
macro_rules! target {
    ($name:ident) => {
        $crate::libfuzzer_sys::fuzz_target!(
            init: {
                if let Some(folder) = std::env::var_os("SEEDS") {
                    let folder = std::path::PathBuf::from(folder);
                    $crate::hostile::write_seeds(stringify!($name), &folder).expect("seeds");
                }
            },
            |data: &[u8]| $crate::hostile::$name(data)
        );
    };
}
