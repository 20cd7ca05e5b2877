//! Values of an archive, as any reader of its files sees them.

use std::fs::{self, File};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use ::parquet::arrow::ProjectionMask;
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::ChunkReader;
use arrow_array::cast::AsArray as _;
use arrow_array::types::Float64Type;

use super::checked::reader_of;
use super::error::Error;
use super::layout::Day;

/// The column that is read.
const VALUE: &str = "value";

/// Gives the float values of every file that readers see, in no order, and answers how many files there were.
///
/// # Errors
/// When the folder or a file cannot be read.
pub fn read_values(dir: &Path, mut each: impl FnMut(f64)) -> Result<u64, Error> {
    let mut files = 0;
    for day in fs::read_dir(dir).map_err(Error::io("read", dir))? {
        let day = day.map_err(Error::io("read", dir))?;
        if Day::parse(&day.file_name().to_string_lossy()).is_none() {
            continue;
        }
        let folder = day.path();
        for file in fs::read_dir(&folder).map_err(Error::io("read", &folder))? {
            let path = file.map_err(Error::io("read", &folder))?.path();
            if path.extension().is_some_and(|ending| ending == "parquet") {
                read_file(&path, &mut each)?;
                files += 1;
            }
        }
    }
    Ok(files)
}

fn read_file(path: &Path, each: &mut impl FnMut(f64)) -> Result<(), Error> {
    let failed = |source: ParquetError| Error::Decode {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(Error::io("open", path))?;
    guarded(|| read_rows(file, each)).map_err(failed)
}

/// Reads of a file that may be damaged: where its checks do not go deep enough, the library panics.
pub(super) fn guarded<T>(
    read: impl FnOnce() -> Result<T, ParquetError>,
) -> Result<T, ParquetError> {
    // What is read into is given up with the file.
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        let why = "it is damaged in a way that its reader does not expect";
        Err(ParquetError::General(why.to_owned()))
    })
}

/// The same of what is a file, or as good as one.
pub(super) fn read_rows(
    file: impl ChunkReader + 'static,
    each: &mut impl FnMut(f64),
) -> Result<(), ParquetError> {
    let builder = reader_of(file)?;
    let wanted = ProjectionMask::columns(builder.parquet_schema(), [VALUE]);
    let reader = builder.with_projection(wanted).build()?;
    for rows in reader {
        let rows = rows?;
        let column = rows.column_by_name(VALUE);
        if let Some(values) = column.and_then(|column| column.as_primitive_opt::<Float64Type>()) {
            // A row without a value is a native histogram.
            values.iter().flatten().for_each(&mut *each);
        }
    }
    Ok(())
}
