"""`python -m assetflow` is the command line."""

from assetflow.cli.main import main

main()
