"""`s2ps k8s`: how many Kubernetes nodes a strategy needs, and how long jobs took."""

from __future__ import annotations

import math
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer
import yaml

from s2ps.cli.run import STRATEGY_HELP
from s2ps.cli.terminal import console, errors, escape, guarded, table
from s2ps.execution.result import ClusterResult
from s2ps.graph.space import ObservationSpace
from s2ps.model.errors import ConfigurationError, NotReady
from s2ps.model.mission import Level, levels_of
from s2ps.planning.sizing import manifests
from s2ps.planning.sizing.demand import datatake
from s2ps.planning.sizing.durations import Durations, median_seconds
from s2ps.planning.sizing.fleet import SYSTEM, NodeType, Room, need
from s2ps.planning.sizing.load import Load
from s2ps.planning.sizing.size import Answer, Question, size
from s2ps.production.definitions import catalogue_of, strategy_of
from s2ps.settings import Settings
from s2ps.staging.location import open_store

app = typer.Typer(
    no_args_is_help=True,
    help="""Size the nodes of Kubernetes.

    Nothing of Kubernetes is asked; the numbers come from a simulation of the
    strategy on the nodes you name. docs/kubernetes.md tells what to do with them.

    Example:
      s2ps k8s size --strategy nominal --per-hour 2 --node-type big=16,64,600,0.80""",
)
NODE_HELP = (
    "name=cpu,memory_gb,disk_gb,price: a kind of node; repeat it for several. The name becomes the instance type."
)
FILES = ("quotas.yaml", "nodes-karpenter.yaml", "nodes-autoscaler.yaml")


@app.command("size")
def size_nodes(
    node_type: Annotated[list[str], typer.Option(help=NODE_HELP)],
    strategy: Annotated[str | None, typer.Option(help=f"{STRATEGY_HELP} Or a file NAME.yaml.")] = None,
    per_hour: Annotated[float | None, typer.Option(help="Datatakes per hour, evenly spread.")] = None,
    concurrent: Annotated[int | None, typer.Option(help="Datatakes that arrive at the same moment.")] = None,
    scenes: Annotated[int, typer.Option(min=4, help="Scenes of a datatake.")] = 16,
    tiles: Annotated[int, typer.Option(min=1, max=500, help="Tiles of a datatake.")] = 18,
    datatake_type: Annotated[str, typer.Option("--type", help="Datatake type; decides the levels.")] = "INS-NOBS",
    gri: Annotated[bool, typer.Option(help="Whether reference images were found.")] = True,
    l1c_minutes: Annotated[
        float | None, typer.Option(help="Limit of L1C. Default: S2PS_TIMELINESS_L1C_MINUTES.")
    ] = None,
    l2a_minutes: Annotated[
        float | None, typer.Option(help="Limit of L2A. Default: S2PS_TIMELINESS_L2A_MINUTES.")
    ] = None,
    seconds: Annotated[
        Path | None, typer.Option(help="Seconds per task, YAML; `s2ps k8s seconds` measures them.")
    ] = None,
    start_s: Annotated[float, typer.Option(min=0, help="Seconds from a cluster being wanted to its first job.")] = 8.0,
    node_start_s: Annotated[float, typer.Option(min=0, help="Seconds until a new node takes pods.")] = 180.0,
    system: Annotated[str, typer.Option(help="cpu,memory_gb,disk_gb a node keeps for itself.")] = "0.5,2,20",
    reprocessing: Annotated[
        float, typer.Option(min=0.01, max=1, help="Share of all nodes reprocessing may ask for.")
    ] = 0.5,
    write: Annotated[Path | None, typer.Option(help="Folder that gets quotas and node pools as YAML.")] = None,
) -> None:
    """Compute how many nodes keep the time limits, and what quotas pods need.

    The clusters of a datatake are run, simulated, on more and more nodes until
    every datatake keeps its limits. Each cluster runs on the kind of node where
    its place is cheapest, or on the one its node selector `s2ps/pool` names.

    Examples:
      s2ps k8s size --strategy nominal --per-hour 2 --node-type big=16,64,600,0.80
      s2ps k8s size --concurrent 3 --seconds seconds.yaml --write k8s/overlays/production \\
          --node-type small=8,32,300,0.40 --node-type large=32,256,2000,2.20

    Exit codes: 0 fine, 2 error, such as limits that no number of nodes keeps.
    """

    def work() -> None:
        settings = Settings.load()
        chosen, catalogue = strategy_of(settings, strategy), catalogue_of(settings)
        durations = Durations(catalogue, chosen, seconds)
        space = ObservationSpace(granules=scenes, has_gri=gri, tiles=tuple(f"T{number:03d}" for number in range(tiles)))
        l1c = (l1c_minutes or settings.timeliness_l1c_minutes) * 60.0
        l2a = (l2a_minutes or settings.timeliness_l2a_minutes) * 60.0
        question = Question(
            pods=datatake(catalogue, chosen, space, levels_of(datatake_type, space.products), durations),
            specs=chosen.clusters,
            load=Load(concurrent, per_hour),
            types=tuple(map(NodeType.parse, node_type)),
            limits={Level.L1C: l1c, Level.L2A: l2a},
            start_s=start_s,
            node_start_s=node_start_s,
            system=_system(system),
        )
        answer = size(question, reprocessing)
        _show(question, answer, durations, chosen.name)
        if write:
            _write(write, answer, question)

    guarded(work)


@app.command("seconds")
def measured_seconds(
    home: Annotated[Path | None, typer.Option(help="What this installation wrote.", envvar="S2PS_HOME")] = None,
    factor: Annotated[float, typer.Option(min=0.001, help="Multiply every duration.")] = 1.0,
) -> None:
    """Print the median seconds of every task of the runs in a staging, as `s2ps k8s size --seconds` takes them.

    Example:
      s2ps k8s seconds --home var/mine > seconds.yaml

    Exit codes: 0 fine, 2 error, such as a staging without results.
    """

    def work() -> None:
        jobs = _jobs(Settings.load(home).staging_uri)
        found = median_seconds(jobs)
        times = "" if factor == 1 else f", times {factor:g}"
        sys.stdout.write(f"# Measured: the median seconds of each task, of {len(jobs)} finished jobs{times}.\n")
        sys.stdout.write(yaml.safe_dump({name: round(value * factor, 2) for name, value in found.items()}))

    guarded(work)


def _jobs(staging: str) -> list[tuple[str, float]]:
    store = open_store(staging)
    results = [e.key for e in store.list("runs") if "/results/" in e.key and e.key.endswith(".json")]
    jobs = [job for key in results for job in ClusterResult.model_validate_json(store.read(key)).jobs]
    done = [(job.id, job.seconds) for job in jobs if job.state == "done"]
    if not done:
        raise NotReady(f"staging {staging} has no finished jobs", next_step="run a datatake first, or give its --home")
    return done


def _system(text: str) -> Room:
    try:
        cpu, memory, disk = (float(part) for part in text.split(","))
    except ValueError as error:
        raise ConfigurationError(f"--system {text!r}", expected=f"cpu,memory_gb,disk_gb, as {SYSTEM}") from error
    return Room(cpu, memory, disk)


def _show(question: Question, answer: Answer, durations: Durations, strategy: str) -> None:
    pods = question.pods
    jobs = sum(pod.jobs for pod in pods)
    console.print(f"strategy {strategy}, {question.load.text}: {len(pods)} pods and {jobs} jobs per datatake\n")
    kinds = {name: pool for pool in answer.pools for name in pool.clusters}
    rows: list[tuple[object, ...]] = []
    for spec in question.used:
        mine = [pod.seconds for pod in pods if pod.node == spec.name]
        asked, kind = need(spec), kinds[spec.name].type
        fit = asked.times_in(kind.free(question.system))
        rows.append((spec.name, len(mine), f"{asked.cpu:g}", f"{asked.memory_gb:g}", f"{asked.disk_gb:g}",
                     f"{max(mine):.0f}", kind.name, fit))  # fmt: skip
    columns = ("cluster", ">pods", ">cpu", ">memory GB", ">disk GB", ">seconds", "node", ">pods per node")
    table("clusters of a datatake", columns, rows)
    console.print()
    table(
        "node pools", ("node", ">always", ">at most", ">price per hour", "clusters"),
        [(p.type.name, p.always, p.most, f"{p.type.price * p.always:g} to {p.type.price * p.most:g}",
          f"{len(p.clusters)}") for p in answer.pools],
    )  # fmt: skip
    console.print()
    table(
        "last product after minutes", ("level", ">simulated", ">limit"),
        [(level, f"{answer.schedule.latency(level) / 60:.1f}", f"{limit / 60:g}")
         for level, limit in question.limits.items()],
    )  # fmt: skip
    console.print()
    quotas = (("near-real-time", answer.near_real_time), ("reprocessing", answer.reprocessing))
    table(
        "quotas", ("pods of", ">pods", ">cpu", ">memory GB", ">disk GB"),
        [(name, q.pods, *(math.ceil(v) for v in (q.room.cpu, q.room.memory_gb, q.room.disk_gb))) for name, q in quotas],
    )  # fmt: skip
    _warn(answer, durations)


def _warn(answer: Answer, durations: Durations) -> None:
    if durations.unknown:
        known = (
            f"{len(durations.unknown)} tasks have no seconds and count as 1: {', '.join(sorted(durations.unknown)[:4])}"
        )
        errors.print(f"[yellow]warning:[/] {escape(known)} ...; give --seconds or `seconds` in the strategy")
    if answer.out_of_reach:
        names = ", ".join(answer.out_of_reach)
        errors.print(
            f"[yellow]warning:[/] no node holds the memory ceiling of {names}: such a retry would stay pending"
        )


def _write(folder: Path, answer: Answer, question: Question) -> None:
    command = f"s2ps {shlex.join(sys.argv[1:])}"
    made = [f"Written by `{command}`", f"for {question.load.text}; do not edit, run it again."]
    api = [f"{name}: {values}" for name, values in manifests.cluster_api(answer.pools).items()]
    args = [
        f"--nodes={pool.always}:{pool.most}:{name}" for name, pool in zip(_groups(answer), answer.pools, strict=True)
    ]
    texts = {
        "quotas.yaml": manifests.text(manifests.quotas(answer), made),
        "nodes-karpenter.yaml": manifests.text(
            manifests.karpenter(answer.pools),
            [*made, "NodePools of Karpenter 1.8 or later. Change nodeClassRef to the class of your provider.",
             "Pools of fixed size (replicas) need its feature gate StaticCapacity."],
        ),
        "nodes-autoscaler.yaml": manifests.text(
            [manifests.cluster_autoscaler(answer.pools)],
            [*made, "Values for the Helm chart of the cluster-autoscaler. The same as arguments:", *args,
             "With Cluster API instead: annotations of the MachineDeployments", *api],
        ),
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in texts.items():
        (folder / name).write_text(content, encoding="utf-8")
        console.print(f"wrote {folder / name}")


def _groups(answer: Answer) -> list[str]:
    return [group["name"] for group in manifests.cluster_autoscaler(answer.pools)["autoscalingGroups"]]
