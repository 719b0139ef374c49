"""The `ozodial` command, also as `python -m ozodial`."""

import gc

_CONTAINERS = 50_000
"""How many more there must be before garbage is looked for: more than are alive while rows come in.
Neither modules nor rows refer to each other in a circle, and looking costs a tenth of a start and a
sixth of staging."""


def main() -> None:
    """The console script."""
    collect_seldom()
    from ozodial.cli import main as command

    command()


def collect_seldom() -> None:
    """Look for garbage seldom, as long as this process lives."""
    gc.set_threshold(_CONTAINERS, *gc.get_threshold()[1:])


if __name__ == "__main__":
    main()
