"""Entry of the `s2ps` command."""

from __future__ import annotations

import typer

from s2ps.cli import (
    auxiliary,
    demo,
    graph,
    ingest,
    inventory,
    k8s,
    plan,
    prip,
    processors,
    publication,
    run,
    sessions,
    simulate,
    staging,
    station,
)

MANUAL = """Sentinel-2 Production Service: downlink sessions in, Level-0 to Level-2A products out.

A session is one downlink, a datatake one observation in it. A job is one
run of a processor for one part of a datatake, a cluster a set of jobs that
run together. Everything is written below one folder, HOME:

  session/                 downlink sessions, of `s2ps simulate`
  sessions/                downlink sessions from stations, of `s2ps ingest`
  auxiliary/ static/ gri/  what processors need besides
  staging/                 plans, job folders, logs (S2PS_STAGING: elsewhere, also s3://)
  products/                what is published, as folders
  packages/                their packages, quick-looks, STAC (S2PS_PACKAGES: elsewhere, also s3://)
  inventory.sqlite         what exists
  airflow/                 the embedded Airflow, its logs and login

Examples:
  s2ps demo                        the whole service under Airflow
  s2ps simulate --home var/mine    a session, auxiliary data, the truth
  s2ps run --home var/mine         the session to products, no Airflow
  s2ps ingest --home var/mine      sessions from stations
  s2ps prip serve --home var/mine  the products by OData and STAC
  s2ps plan --strategy nominal     what would run, before anything does
  s2ps graph draw --format dot     who feeds whom
  s2ps processors check            is the catalogue whole?
  s2ps k8s size --help             how many nodes Kubernetes needs
  s2ps station --content DIR       a simulated station that publishes

Every setting can be given as S2PS_<NAME>: S2PS_HOME, S2PS_STRATEGY,
S2PS_SLOTS, S2PS_DEFINITIONS, S2PS_EXECUTABLES ...; docs/operations.md
lists them.

Exit codes: 0 fine, 1 findings (what was checked is not in order),
2 error or wrong usage, 130 interrupted.
"""

app = typer.Typer(
    name="s2ps",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    help=MANUAL,
)
app.command()(simulate.simulate)
app.command()(run.run)
app.command()(ingest.ingest)
app.command()(plan.plan)
app.command()(station.station)
app.command()(demo.demo)
app.command()(demo.status)
app.command()(demo.stop)
app.add_typer(sessions.app, name="sessions")
app.add_typer(graph.app, name="graph")
app.add_typer(processors.app, name="processors")
app.add_typer(auxiliary.app, name="auxiliary")
app.add_typer(inventory.app, name="inventory")
app.add_typer(publication.app, name="publication")
app.add_typer(staging.app, name="staging")
app.add_typer(prip.app, name="prip")
app.add_typer(k8s.app, name="k8s")


def main() -> None:
    """Run the command line."""
    app()
