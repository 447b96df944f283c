"""Reads what `depthcast export` wrote by the libraries that people use, and prints it a line a row.

Usage: exported.py parquet|dbn FILE...
"""

import sys


def parquet(file):
    import duckdb

    table = duckdb.sql(f"select * from read_parquet('{file}')")
    columns = [
        f"epoch_ns({name})" if name in ("timestamp", "feed_time") else name for name in table.columns
    ]
    # Decimals as the text that they are, nothing as a dash.
    texts = [f"coalesce(({column})::varchar, '-')" for column in columns]
    for row in table.select(", ".join(texts)).fetchall():
        print(*row)


for path in sys.argv[2:]:
    {"parquet": parquet}[sys.argv[1]](path)
    print("done")
