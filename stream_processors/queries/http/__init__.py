"""The figures and tweets of runs over HTTP, each answer as the command's `--json` has it."""
