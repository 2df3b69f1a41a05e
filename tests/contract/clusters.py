"""Clusters of a tiny real processor that does what its job order tells it to do."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from s2ps.execution.request import AuxiliaryRequest, ClusterRequest, InputRequest, JobRequest, OutputRequest

PROCESSOR = """#!{python} -SE
import os, signal, subprocess, sys, time
import xml.etree.ElementTree as etree

order = etree.parse(sys.argv[1])
do = {{p.findtext("Name"): p.findtext("Value") or "" for p in order.iter("Processing_Parameter")}}
print("job order", sys.argv[1], flush=True)
with open(do["COUNTER"], "a") as counter:
    counter.write(do["NAME"] + "\\n")
inputs = []
for item in order.iter("Input"):
    if item.findtext("File_Type") != "WORKING":
        for name in item.iter("File_Name"):
            inputs.append((item.findtext("File_Type"), name.text))
if "CHILD" in do:
    code = "import os,signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); " \\
           "open(%r, 'w').write(str(os.getpid())); time.sleep(120)" % do["CHILD"]
    subprocess.Popen([sys.executable, "-SE", "-c", code])
    while not os.path.exists(do["CHILD"]):
        time.sleep(0.01)
if "SLEEP" in do:
    time.sleep(float(do["SLEEP"]))
if "MEGABYTES" in do:
    block = bytearray(int(do["MEGABYTES"]) * 1000000)
    block[::4096] = b"x" * len(block[::4096])
if "SIGNAL" in do:
    os.kill(os.getpid(), int(do["SIGNAL"]))
for item in order.iter("Output"):
    kind, place = item.findtext("File_Type"), item.findtext("File_Name")
    if kind in do.get("OMIT", "").split(","):
        continue
    if item.findtext("File_Name_Type") == "Directory":
        place = os.path.join(place, do.get("FILE", do["NAME"] + ".txt"))
        os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place, "w") as out:
        for kind, name in sorted(inputs):
            out.write(kind + " ")
            if os.path.isdir(name):
                out.write(" ".join(sorted(f for _, _, files in os.walk(name) for f in files)))
            else:
                out.write(open(name).read().strip())
            out.write("\\n")
        out.write(do.get("TEXT", do["NAME"]) + "\\n")
for line in do.get("SAY", "").split("|"):
    print(line, flush=True)
sys.exit(int(do.get("EXIT", "0")))
"""


class Workbench:
    """A staging, the tiny processor, and requests that use both."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.staging = folder / "staging"
        self.counter = folder / "runs.txt"
        self.executable = folder / "PROCESSOR.py"
        self.executable.write_text(PROCESSOR.format(python=sys.executable))
        self.executable.chmod(0o755)

    def job(
        self, name: str, *producers: str, outputs: tuple[OutputRequest, ...] | None = None, **do: str
    ) -> JobRequest:
        """Return a job that takes TEXTS of its producers and writes TEXTS."""
        given: dict[str, Any] = {
            name: do.pop(name)
            for name in ("exit_policy", "timeout_s", "key", "executable", "inputs", "auxiliary", "environment")
            if name in do
        }
        return JobRequest(
            **{
                "id": name,
                "phase": "L1A",
                "task": "WRITE",
                "processor": "WRITE",
                "version": "01.00.00",
                "executable": str(self.executable),
                "timeout_s": 30,
                "data_id": f"band={name}",
                "parameters": {"NAME": name, "COUNTER": str(self.counter), **do},
                "inputs": (InputRequest(type="TEXTS", jobs=producers),) if producers else (),
                "outputs": (OutputRequest(type="TEXTS"),) if outputs is None else outputs,
                "key": f"key of {name}",
                **given,
            }
        )

    def auxiliary(self, name: str, content: str) -> AuxiliaryRequest:
        """Return an auxiliary file with some content."""
        path = self.folder / name
        path.write_text(content)
        return AuxiliaryRequest(type="GIP_VIEDIR", paths=(str(path),))

    def request(self, *jobs: JobRequest, **more: Any) -> ClusterRequest:
        """Return a cluster of jobs."""
        given = {"run_id": "run", "cluster_id": "c1", "slots": 2, **more}
        return ClusterRequest(
            datatake="dt", plan_hash="hash", node="node", staging=str(self.staging), jobs=jobs, **given
        )

    def runs(self) -> list[str]:
        """Return the names of the jobs that were started, in their order."""
        return self.counter.read_text().split() if self.counter.exists() else []

    def output(self, job: str, name: str | None = None) -> str:
        """Return the text a job has written."""
        return (self.staging / "runs" / "dt" / "jobs" / job / "TEXTS" / (name or f"{job}.txt")).read_text()
