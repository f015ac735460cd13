"""pandas methods that do not exist here, and what to write instead."""

from __future__ import annotations

_APPLY = "Compose columns with arithmetic, where and merge, or use .to_pandas() for this step."
_COMMON = {
    "append": "Use ff.concat([a, b]).",
    "applymap": _APPLY,
    "pivot": "Use groupby, then merge; or .to_pandas() for this step.",
    "pivot_table": "Use groupby(...).agg(...).",
    "melt": "Use ff.concat of the columns with assign for the variable's name.",
    "stack": "Use .to_pandas() for this step.",
    "unstack": "Use .to_pandas() for this step.",
    "resample": "Use groupby(df['t'].dt.floor('D')).",
    "rolling": "Rolling windows are not there yet; use .to_pandas() for this step.",
    "expanding": "Use cumsum, cummin, cummax or cumcount.",
    "ewm": "Use .to_pandas() for this step.",
    "corr": "Compute it from sums of products, or use .to_pandas() for this step.",
    "cov": "Compute it from sums of products, or use .to_pandas() for this step.",
    "plot": "Use .to_pandas().plot, or hand the frame to altair or matplotlib.",
    "hist": "Use .to_pandas().hist.",
    "interpolate": "Use ffill or bfill, or .to_pandas() for this step.",
    "squeeze": "Use .iloc[0] or a column by name.",
    "swaplevel": "Use reset_index and set_index.",
    "xs": "Use .loc.",
    "reindex": "Use merge with how='left' on the wanted labels.",
    "to_sql": "Use .to_arrow() with your database's Arrow interface.",
    "to_excel": "Use .to_pandas().to_excel.",
    "to_json": "Use .to_pandas().to_json, or to_dict('records').",
    "to_pickle": "Use pickle.dumps, or to_parquet.",
}
DATAFRAME_HINTS = {
    **_COMMON,
    "query": "Use a mask: df[(df['a'] > 1) & (df['b'] == 'x')].",
    "eval": "Use arithmetic on columns with assign.",
    "T": "Use .to_pandas().T; columns have one dtype each and do not turn into rows.",
    "transpose": "Use .to_pandas().T.",
    "explode": "Use .to_pandas() for this step.",
    "ix": "Use .loc or .iloc.",
    "combine_first": "Use a.fillna(b['x']) for each column.",
    "replace": "Use df['x'].replace(...), or df.where(...).",
    "update": "Use df.loc[mask, 'x'] = values.",
}
SERIES_HINTS = {**_COMMON, "argsort": "Use sort_values and its labels.", "to_string": "Use repr or print.", "view": "Use astype."}
GROUPBY_HINTS = {
    "rolling": _COMMON["rolling"],
    "resample": _COMMON["resample"],
    "filter": "Use df[df.groupby(keys)['x'].transform('size') > n].",
    "describe": "Use agg(['count', 'mean', 'std', 'min', 'max']).",
    "corr": "Compute it from sums of products with agg.",
    "expanding": "Use cumsum, cummin, cummax or cumcount.",
    "value_counts": "Use df.groupby([*keys, 'x']).size().",
    "nlargest": "Sort by the values first, then groupby(...).head(n).",
    "nsmallest": "Sort by the values first, then groupby(...).head(n).",
    "indices": "Use ngroup(), or .groups for labels.",
    "sample": "Shuffle the frame with sample(frac=1), then groupby(...).head(n).",
    "fillna": "Use ffill, bfill, or df['x'].fillna(df.groupby(keys)['x'].transform('mean')).",
}
