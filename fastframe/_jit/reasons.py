"""What numba's messages mean: one row per kind of failure.

A row is a pattern, the reason, and what to change; the first row that matches decides. Names in braces are groups of the
pattern (``name2`` stands for ``name`` in another branch of it). Rows go from the particular to the general.
"""

from __future__ import annotations

REASONS: list[tuple[str, str, str]] = [
    (
        r"IMPORT_NAME|IMPORT_FROM",
        "it imports a module inside",
        "import at the top of the file",
    ),
    (
        r"NameError: name '(?P<name>\w+)' is not defined",
        "the name {name} is not defined",
        "define {name} before the function is used",
    ),
    (
        r"compiler re-entrant to the same function|cannot type infer runaway recursion",
        "it calls itself",
        "write the recursion as a loop",
    ),
    (
        r"<class 'pandas\.|<module 'pandas'|Untyped global name '\w+'[^\n]*\n?[^\n]*pandas",
        "it uses pandas, and compiled code knows NumPy arrays and numbers only",
        "use NumPy functions on the arrays it is given",
    ),
    (
        r"Untyped global name '(?P<name>[^']+)':?[^\n]*?<class '(?P<kind>[^']+)'>",
        "it uses {name} (a {kind}) from outside, which compiled code does not know",
        "pass what it needs from {name} as arguments: numbers or NumPy arrays",
    ),
    (
        r"Untyped global name '(?P<name>[^']+)'",
        "it uses {name} from outside, which compiled code does not know",
        "pass what it needs from {name} as arguments: numbers or NumPy arrays",
    ),
    (
        r"assigned to variable '(?P<name>\w+)' in globals",
        "it uses the list, dict or set {name} from outside, which could change",
        "make {name} a tuple or a NumPy array, or pass it as an argument",
    ),
    (
        r"Unknown attribute '(?P<name>\w+)' of type Module\(<module '(?P<of>[\w.]+)'|unsupported NumPy function '(?P<of2>\w+)\.(?P<name2>[\w.]+)'",
        "compiled code has no {of}.{name}",
        "use another function of {of}, or write it as a loop",
    ),
    (
        r"Unknown attribute '(?P<name>\w+)' of type (?:readonly )?array",
        "arrays have no .{name} in compiled code",
        "use a function of NumPy, or write it as a loop",
    ),
    (
        r"Unknown attribute '(?P<name>\w+)' of type (?P<of>[^\n]+)",
        "values of type {of} have no .{name} in compiled code",
        "do without .{name}",
    ),
    (
        r"Cannot unify (?P<a>[^\n]+?) and (?P<b>[^\n]+?) for '(?P<name>[\w.$]+)'",
        "{variable} is {a} in one place and {b} in another",
        "give it one type everywhere, for example by float(...)",
    ),
    (
        r"Can't unify return type from the following types: (?P<types>[^\n]+)",
        "it returns different types in different branches ({types})",
        "return the same type in every branch",
    ),
    (
        r"Cannot (?:modify|assign to)[^\n]*readonly|(?:setitem|iadd|isub|imul|itruediv|ifloordiv|ipow|imod)[^\n]*\)>\) found for signature:\s*>>> \w+\(readonly"
        r"|(?:sort|fill|partition)[^\n]*readonly",
        "it writes into an array it was given, and these are read-only",
        "write into a copy: x = x.copy()",
    ),
    (
        r"exception_match|Exception matching is limited",
        "it catches one kind of exception, and compiled code can only catch all of them",
        "write except Exception:, or test for the case beforehand",
    ),
    (
        r"unsupported control flow[^\n]*try|(?:[Uu]nsupported)[^\n]*(?:try|SETUP_FINALLY|exception)",
        "it uses a form of try that compiled code has not",
        "test for the case beforehand, without try",
    ),
    (
        r"FORMAT_VALUE|FORMAT_SIMPLE|FORMAT_WITH_SPEC|format spec",
        "it formats text with an f-string",
        "leave the text out",
    ),
    (
        r"LOAD_BUILD_CLASS",
        "it defines a class inside",
        "use numbers and arrays instead of objects",
    ),
    (
        r"[Uu]nsupported opcode[^\n]*?\(?(?P<name>[A-Z][A-Z_]{3,})",
        "it uses a form of Python that compiled code has not ({name})",
        "write that line with loops, numbers and arrays",
    ),
    (
        r"The '(?P<what>[^'\n]+)' construct is not supported",
        "it uses {what}, which compiled code has not",
        "do without it",
    ),
    (
        r"[Tt]he use of (?P<what>[^\n]+?) is not supported|Use of (?P<what2>[^\n]+?) is unsupported",
        "it uses {what}, which compiled code has not",
        "write that line differently",
    ),
    (
        r"Function\(<built-in function (?:getitem|setitem)>\) found for signature:\s*>>> \w+\((?P<args>[^\n]*)\)",
        "indexing with these types is not possible in compiled code ({args})",
        "index arrays by integers, slices, or one mask or index array",
    ),
    (
        r"Function\(<(?:built-in )?(?:function|ufunc|class) '?(?P<name>[\w.]+)'?[^\n]*?>\) found for signature:\s*>>> [^\n(]+\((?P<args>[^\n]*)\)"
        r"|Function\((?P<name2>[^\n]+?)\) found for signature:\s*>>> [^\n(]+\((?P<args2>[^\n]*)\)",
        "{name} does not take these types in compiled code ({args})",
        "convert the arguments, or write it as a loop",
    ),
    (
        r"Invalid use of [^\n]*?(?P<name>\w+)[^\n]* with (?:parameters|argument\(s\) of type\(s\)): \((?P<args>[^\n]*)\)",
        "{name} does not take these types in compiled code ({args})",
        "convert the arguments, or write it as a loop",
    ),
    (
        r"Invalid NumPy dtype specified: (?P<name>[^\n]+)",
        "{name} is no dtype of NumPy",
        "use NumPy's dtypes, such as np.float64",
    ),
    (
        r"[Cc]annot determine Numba type of <class '(?P<kind>[^']+)'>",
        "it uses a value of type {kind}, which compiled code does not know",
        "use numbers and NumPy arrays",
    ),
    (
        r"got an unexpected keyword argument '(?P<name>\w+)'",
        "it passes {name}= to a function that does not take it in compiled code",
        "leave {name}= out",
    ),
]

# numba's names of types, as a reader of NumPy would say them.
TYPES: list[tuple[str, str]] = [
    (r"(?:readonly )?(?:un)?(?:aligned )?array\(([\w\[\]]+), 1d, \w+\)", r"array of \1"),
    (r"(?:readonly )?array\(([\w\[\]]+), (\d)d, \w+\)", r"\2-dimensional array of \1"),
    (r"Literal\[str\]\([^)]*\)|unicode_type|\[unichr x \d+\]", "text"),
    (r"Literal\[int\]\([^)]*\)", "int64"),
    (r"Literal\[bool\]\([^)]*\)", "bool"),
    (r"type\(CPUDispatcher\(<function .*? at 0x\w+>\)\)", "a function"),
    (r"reflected list\((\w+)\)(?:<iv=[^>]*>)?", r"list of \1"),
    (r"<class '([\w.]+)'>", r"\1"),
    (r"\bboolean\b", "bool"),
]
