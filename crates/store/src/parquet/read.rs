//! Values of an archive, as any reader of its files sees them.

use std::fs::{self, File};
use std::path::Path;

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use ::parquet::errors::ParquetError;
use arrow_array::cast::AsArray as _;
use arrow_array::types::Float64Type;

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
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(failed)?;
    let wanted = ProjectionMask::columns(builder.parquet_schema(), [VALUE]);
    let reader = builder.with_projection(wanted).build().map_err(failed)?;
    for rows in reader {
        let rows = rows.map_err(|error| failed(error.into()))?;
        let column = rows.column_by_name(VALUE);
        if let Some(values) = column.and_then(|column| column.as_primitive_opt::<Float64Type>()) {
            // A row without a value is a native histogram.
            values.iter().flatten().for_each(&mut *each);
        }
    }
    Ok(())
}
