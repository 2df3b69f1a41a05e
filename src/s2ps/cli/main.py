"""Entry of the `s2ps` command."""

from __future__ import annotations

import typer

from s2ps.cli import demo, graph, plan, processors, run, simulate

app = typer.Typer(
    name="s2ps",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    help="Sentinel-2 Production Service: downlink sessions in, L0 to L2A products out.",
)
app.command()(simulate.simulate)
app.command()(run.run)
app.command()(plan.plan)
app.command()(demo.demo)
app.command()(demo.status)
app.command()(demo.stop)
app.add_typer(graph.app, name="graph")
app.add_typer(processors.app, name="processors")


def main() -> None:
    """Run the command line."""
    app()
