"""The `ozodial` command, also as `python -m ozodial`."""

import gc

_CONTAINERS = 50_000
"""What loading makes stays to the end: to look through it for garbage takes a tenth of a start."""


def main() -> None:
    """The console script."""
    gc.set_threshold(_CONTAINERS, *gc.get_threshold()[1:])
    from ozodial.cli import main as command

    command()


if __name__ == "__main__":
    main()
