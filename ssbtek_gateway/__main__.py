"""The entry point: `ssbtek-gateway`, or `python -m ssbtek_gateway`."""

from ssbtek_gateway.cli import app


def main() -> None:
    """Run the command line. Exit codes are each command's own; 2 is always a mistake in how it was called."""
    app(prog_name="ssbtek-gateway")


if __name__ == "__main__":
    main()
