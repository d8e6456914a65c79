"""``python -m pixelwise``: the command line, under any launcher of modules such as torchrun."""

from pixelwise.cli import main

if __name__ == "__main__":
    main()
