"""Files, on pyarrow: Parquet, CSV, feather (Arrow IPC). They give and take tables; the façade makes frames of them."""
