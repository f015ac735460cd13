"""Classes for asv: each question of `asv_benchmarks.questions` asked of fastframe, over its history.

``ASV_ROWS`` sets the rows: one number or several (default 1e5,1e6).
"""

import sys
from pathlib import Path

# asv imports this package by its folder. The root comes last: the fastframe that asv has built must stay the one imported.
sys.path.append(str(Path(__file__).resolve().parents[2]))
