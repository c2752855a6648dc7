"""``python -m precipice``: the command line."""

from precipice.cli.main import main

if __name__ == "__main__":
    main()
