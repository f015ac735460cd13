"""Users' functions, compiled by numba to kernels of the usual range contract; imported when first needed.

`function.py` what the user passed; `fingerprint.py` when two functions are the same; `arguments.py` dtypes in and out;
`kernel.py` the kernel and its calls; `cache.py` and `disk.py` where compiled kernels are kept; `failures.py` numba's errors
in plain words; `pipeline.py` and `glue.py` what touches numba. Only the last two (and `arguments.py`, for the types)
import numba, so a function can be taken, checked and found in the disk cache before.
"""
