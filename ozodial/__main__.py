"""`python -m ozodial` is the `ozodial` command."""

from ozodial.cli import main

if __name__ == "__main__":
    main()
