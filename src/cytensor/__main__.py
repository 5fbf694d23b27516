"""`python -m cytensor` is the command `cytensor`."""

import sys

from cytensor.cli import main

if __name__ == "__main__":
    sys.exit(main())
