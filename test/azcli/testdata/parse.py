"""Parses commands by the Azure CLI itself, and stops before it would run them.

Reads a JSON list of commands, each a list of words after `az`, and writes a JSON list of what the CLI says of each: an empty string
if it understands the command, else its complaint.
"""

import contextlib
import io
import json
import sys

from azure.cli.core import get_default_cli
from knack.events import EVENT_INVOKER_POST_PARSE_ARGS


class Understood(Exception):
    """Raised in the place of running a command."""


def stop(_, **__):
    raise Understood


def complaint(words):
    cli = get_default_cli()
    cli.register_event(EVENT_INVOKER_POST_PARSE_ARGS, stop)
    cli.invocation = cli.invocation_cls(
        cli_ctx=cli,
        parser_cls=cli.parser_cls,
        commands_loader_cls=cli.commands_loader_cls,
        help_cls=cli.help_cls,
    )
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            cli.invocation.execute(list(words))
    except Understood:
        return ""
    except SystemExit as end:
        return said.getvalue().strip() or f"it gave up with {end.code}"
    except Exception as mistake:  # of any kind: the point is to hear of it
        return f"{type(mistake).__name__}: {mistake}"
    return "it ran the command"


def main():
    json.dump([complaint(words) for words in json.load(sys.stdin)], sys.stdout)


main()
