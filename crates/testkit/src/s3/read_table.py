"""Prints the rows of a Delta Lake table on S3 as JSON, as DuckDB reads it; fails when Polars reads something else.

Usage: read_table.py s3://BUCKET/FOLDER HOST:PORT KEY SECRET
"""

import json
import sys

import duckdb
import polars
from duckdb_extension_delta import __path__ as delta
from duckdb_extension_httpfs import __path__ as httpfs


def with_duckdb(url, endpoint, key, secret):
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    for package, name in ((httpfs, "httpfs"), (delta, "delta")):
        path = f"{package[0]}/extensions/v{duckdb.__version__}/{name}.duckdb_extension"
        connection.execute(f"LOAD '{path}'")
    connection.execute(
        f"""CREATE SECRET (TYPE s3, KEY_ID '{key}', SECRET '{secret}', ENDPOINT '{endpoint}', REGION 'us-east-1',
            URL_STYLE 'path', USE_SSL false)"""
    )
    query = f"""SELECT metric, epoch_ms("time"), value, labels, "date"::VARCHAR FROM delta_scan('{url}')"""
    rows = connection.execute(query).fetchall()
    return [(metric, at_ms, value, dict(labels), date) for metric, at_ms, value, labels, date in rows]


def with_polars(url, endpoint, key, secret):
    options = {
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_ENDPOINT_URL": f"http://{endpoint}",
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
    }
    table = polars.scan_delta(url, storage_options=options, use_pyarrow=True).collect().to_dicts()
    rows = []
    for row in table:
        labels = row["labels"]
        if not isinstance(labels, dict):
            labels = {label["key"]: label["value"] for label in labels}
        at_ms = round(row["time"].timestamp() * 1000)
        rows.append((row["metric"], at_ms, row["value"], labels, str(row["date"])))
    return rows


def main():
    def order(row):
        return row[0], row[1], sorted(row[3].items()), row[2]

    one, other = sorted(with_duckdb(*sys.argv[1:]), key=order), sorted(with_polars(*sys.argv[1:]), key=order)
    if one != other:
        sys.exit(f"DuckDB and Polars read different rows:\n{one}\n{other}")
    samples = [
        {"metric_name": metric, "timestamp": at_ms, "value": value, "labels": labels, "date": date}
        for metric, at_ms, value, labels, date in one
    ]
    print(json.dumps(samples))


if __name__ == "__main__":
    main()
