"""`python -m operate`: the application `fanfare` from a checkout."""

import sys

from operate.application import main

if __name__ == "__main__":
    sys.exit(main())
