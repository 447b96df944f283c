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


def dbn(file):
    import databento_dbn

    decoder = databento_dbn.DBNDecoder(compression=databento_dbn.Compression.ZSTD)
    with open(file, "rb") as lines:
        decoder.write(lines.read())
    symbols = {}
    for record in decoder.decode():
        if isinstance(record, databento_dbn.Metadata):
            symbols = {
                int(interval["symbol"]): symbol
                for symbol, intervals in record.mappings.items()
                for interval in intervals
            }
            continue
        # Of a definition what it says of the units, of a record of the book the ten best levels where its event ends.
        if isinstance(record, databento_dbn.InstrumentDefMsg):
            print(record.raw_symbol, record.min_price_increment, record.unit_of_measure_qty)
        elif isinstance(record, databento_dbn.TradeMsg):
            print(symbols[record.instrument_id], record.sequence, record.ts_event, record.ts_recv, record.side, record.price, record.size)
        elif record.action != "T" and record.flags & databento_dbn.F_LAST:
            bids = [(level.bid_px, level.bid_sz) for level in record.levels if level.bid_sz]
            asks = [(level.ask_px, level.ask_sz) for level in record.levels if level.ask_sz]
            texts = [" ".join(f"{price}x{size}" for price, size in side) for side in (bids, asks)]
            print(symbols[record.instrument_id], record.sequence, record.ts_event, record.ts_recv, *texts, sep="|")


for path in sys.argv[2:]:
    {"parquet": parquet, "dbn": dbn}[sys.argv[1]](path)
print("done")
