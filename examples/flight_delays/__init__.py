"""The demo's parts: data, three contenders (pandas, polars, fastframe), checks, training and report."""
