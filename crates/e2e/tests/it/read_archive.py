"""Prints every sample of a Parquet archive as JSON, as DuckDB reads it; fails when pyarrow reads something else.

Usage: read_archive.py FOLDER
"""

import json
import sys

import duckdb
import pyarrow.dataset


def with_duckdb(folder):
    query = f"""
        SELECT metric, epoch_ms("time") AS at_ms, value, labels
        FROM read_parquet('{folder}/**/*.parquet', hive_partitioning = true)
    """
    rows = duckdb.execute(query).fetchall()
    return [(metric, at_ms, value, dict(labels)) for metric, at_ms, value, labels in rows]


def with_pyarrow(folder):
    table = pyarrow.dataset.dataset(folder, format="parquet", partitioning="hive").to_table()
    rows = []
    for row in table.to_pylist():
        at_ms = round(row["time"].timestamp() * 1000)
        rows.append((row["metric"], at_ms, row["value"], dict(row["labels"])))
    return rows


def main():
    folder = sys.argv[1]

    def order(row):
        return row[0], row[1], sorted(row[3].items()), row[2]

    one, other = sorted(with_duckdb(folder), key=order), sorted(with_pyarrow(folder), key=order)
    if one != other:
        sys.exit("DuckDB and pyarrow read different samples")
    samples = [
        {"metric_name": metric, "timestamp": at_ms, "value": value, "labels": labels}
        for metric, at_ms, value, labels in one
    ]
    print(json.dumps(samples))


if __name__ == "__main__":
    main()
