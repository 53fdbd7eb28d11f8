"""Whether Marrow on this machine is `live` or `ready`: exit 0 or 1, for a container's health check."""

import sys
import urllib.request


def main() -> int:
    """Ask the health route named on the command line."""
    what = sys.argv[1] if len(sys.argv) > 1 else "ready"
    port = sys.argv[2] if len(sys.argv) > 2 else "8000"  # noqa: PLR2004 - the second word
    try:
        with urllib.request.urlopen(f"http://localhost:{port}/health/{what}", timeout=4) as answer:
            return int(answer.status != 200)  # noqa: PLR2004 - HTTP
    except OSError:
        return 1


if __name__ == "__main__":
    sys.exit(main())
