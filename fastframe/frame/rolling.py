"""``rolling``, ``expanding`` and ``ewm`` of frames, series and groups; their classes are imported with the first windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastframe.frame.ewm import ExponentialWindows
    from fastframe.frame.row_windows import Expanding, Rolling
    from fastframe.frame.window_source import WindowSource


class HasWindows:
    """``rolling``, ``expanding`` and ``ewm`` of frames, series and groups."""

    def _window_source(self) -> WindowSource:
        from fastframe.frame.window_source import WindowSource

        return WindowSource.of_frame(self)

    def rolling(
        self, window: Any, min_periods: int | None = None, center: bool = False, win_type: None = None, *,
        on: str | None = None, closed: str | None = None, step: None = None, method: str = "single",
    ) -> Rolling:  # fmt: skip
        """Windows of rows that end with (or, with ``center``, lie around) each row.

        Parameters
        ----------
        window : int, str or timedelta
            A number of rows, or a span of time: ``"7D"``, ``"30s"``, ``timedelta(hours=1)``.
        min_periods : int, optional
            Values that a window needs for a result; by default all its rows, for spans of time 1.
        center : bool
        on : str, optional
            The column of a frame that spans of time go by; by default the labels. Its times must rise or fall, within each group.
        closed : {"right", "left", "both", "neither"}, optional
            Which ends belong to a window.

        Returns
        -------
        Rolling
            Its functions give a value per row; of groups, in group order under keys and labels.

        Raises
        ------
        WindowError
            A window that is none, times that are missing or not in order.

        Examples
        --------
        >>> import fastframe as ff
        >>> df = ff.DataFrame({"k": ["a", "b", "a", "a"], "v": [1, 2, 3, 4]})
        >>> df["v"].rolling(2).sum().tolist()
        [None, 3, 5, 7]
        >>> df.groupby("k")["v"].rolling(2, min_periods=1).sum().reset_index().to_dict("list")
        {'k': ['a', 'a', 'a', 'b'], 'level_1': [0, 2, 3, 1], 'v': [1, 4, 7, 2]}
        """
        from fastframe.frame.row_windows import Rolling
        from fastframe.frame.window_arguments import rolling_span

        refused = {"win_type": win_type, "step": step, "method": None if method == "single" else method}
        return Rolling(*rolling_span(self._window_source(), window, min_periods, on, {"center": center, "closed": closed, **refused}))

    def expanding(self, min_periods: int = 1, *, method: str = "single") -> Expanding:
        """Windows from the first row (of the group) to each row.

        >>> import fastframe as ff
        >>> ff.Series([3, 1, 2]).expanding().max().tolist()
        [3, 3, 3]
        """
        from fastframe.frame.row_windows import Expanding
        from fastframe.frame.window_arguments import expanding_span

        return Expanding(self._window_source(), expanding_span(min_periods, method))

    def ewm(
        self, com: float | None = None, span: float | None = None, halflife: Any = None, alpha: float | None = None, *,
        min_periods: int = 0, adjust: bool = True, ignore_na: bool = False, times: Any = None,
    ) -> ExponentialWindows:  # fmt: skip
        """Windows of all rows up to each row, with weights that fall exponentially.

        Parameters
        ----------
        com, span, halflife, alpha : float
            One of them says how weights fall: ``alpha = 1 / (1 + com) = 2 / (span + 1) = 1 - exp(-log(2) / halflife)``.
        halflife : str or timedelta
            With ``times``: the time in which weights fall to half.
        min_periods : int
            Values that a result needs.
        adjust : bool
            Divide by the sum of the weights; else each mean is ``alpha`` of the value and the rest of the mean before.
        ignore_na : bool
            Whether rows of missing values do not count when weights fall.
        times : array, Series or column name, optional
            Of each row.

        >>> import fastframe as ff
        >>> ff.Series([1.0, 3.0, None, 3.0]).ewm(alpha=0.5, adjust=False).mean().tolist()
        [1.0, 2.0, 2.0, 2.6666666666666665]
        """
        from fastframe.frame.ewm import ExponentialWindows
        from fastframe.frame.window_arguments import decay_of

        given = {"com": com, "span": span, "halflife": halflife, "alpha": alpha}
        source, decay = decay_of(self._window_source(), given, times, {"min_periods": min_periods, "adjust": adjust, "ignore_na": ignore_na})
        return ExponentialWindows(source, decay)
