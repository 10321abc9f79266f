"""Run the command line: `python -m soulspot`."""

from soulspot.cli.main import main

if __name__ == "__main__":
    main()
