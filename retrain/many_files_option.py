"""Options that take one file after the other, as a shell's wildcard gives them."""

import click


class ManyFilesCommand(click.Command):
    """A command in which `--labels A B C` means `--labels A --labels B --labels C`.

    That holds for every option that may be given several times; the next option ends the list.
    Arguments of the command stand before such a list.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeat the option before each of its values."""
        many = {
            name
            for parameter in self.params
            if isinstance(parameter, click.Option) and parameter.multiple
            for name in parameter.opts
        }
        spelled_out: list[str] = []
        option: str | None = None
        for arg in args:
            if arg.startswith("-"):
                option = arg if arg in many else None
            elif option is not None and spelled_out[-1] != option:
                spelled_out.append(option)
            spelled_out.append(arg)
        try:
            return super().parse_args(ctx, spelled_out)
        except click.MissingParameter as missing:
            if isinstance(missing.param, click.Argument):
                missing.message = "Write it before options that take several files."
            raise
