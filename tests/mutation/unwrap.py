"""Decorated functions written so that mutmut mutates them.

mutmut leaves functions with decorators alone, and here those are the ledger's transactions
(`@lasting`), its contexts and every cached reading. `@lasting` above `def claim` says the same as
`claim = lasting(claim)` below it, which mutmut understands.
"""

import ast

UNDERSTOOD = {"classmethod", "staticmethod"}


def unwrapped(source: str) -> str:
    """The module with its functions' decorators as assignments behind them."""
    lines = source.splitlines()
    # from the end, so that the places of what comes before stay as they are
    for function in sorted(_decorated(ast.parse(source)), key=lambda node: -node.lineno):
        decorators = [ast.unparse(decorator) for decorator in function.decorator_list]
        first = function.decorator_list[0].lineno
        said = function.name
        for decorator in reversed(decorators):
            said = f"{decorator}({said})"
        end = function.end_lineno or function.lineno
        lines.insert(end, f"{' ' * function.col_offset}{function.name} = {said}")
        del lines[first - 1 : function.lineno - 1]
    return "\n".join(lines) + "\n"


def _decorated(module: ast.Module) -> list[ast.FunctionDef]:
    """Functions and methods with decorators, except those that mutmut copes with."""
    bodies = [module.body, *(node.body for node in module.body if isinstance(node, ast.ClassDef))]
    return [
        node
        for body in bodies
        for node in body
        if isinstance(node, ast.FunctionDef)
        and node.decorator_list
        and not {ast.unparse(decorator) for decorator in node.decorator_list} <= UNDERSTOOD
    ]
