"""Object code of an earlier process becomes a kernel again, in milliseconds: numba's tables of functions are not needed."""

from __future__ import annotations

from collections.abc import Sequence

import llvmlite.binding as llvm
from numba.core import registry
from numba.core.compiler_lock import global_compiler_lock
from numba.core.runtime import rtsys

from fastframe._jit.layout import Compiled


@global_compiler_lock
def load_kernel(entry: str, code: bytes, needed: Sequence[str], *, together: bool) -> Compiled | None:
    """A kernel from its object code; None where this process lacks a name that it refers to."""
    context = registry.cpu_target.target_context
    rtsys.initialize(context)
    if any(llvm.address_of_symbol(name) is None for name in needed):
        context.refresh()   # more of numba's own functions
        if any(llvm.address_of_symbol(name) is None for name in needed):
            return None
    codegen = context.codegen()
    named = llvm.parse_assembly(f'define void @"{entry}"() {{ ret void }}').as_bitcode()   # numba looks up names there
    library = codegen.unserialize_library((entry, "object", (code, named)))
    address = library.get_pointer_to_function(entry)
    return Compiled(address, entry, (None, library), None, None, shortcuts=False, together=together) if address else None
