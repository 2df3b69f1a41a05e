"""The one file Airflow discovers in the plugins folder; it registers what S2PS adds to Airflow."""

from __future__ import annotations

from typing import Any, ClassVar

from airflow.plugins_manager import AirflowPlugin

from s2ps_airflow.deadlines import InputAvailability
from s2ps_airflow.timetable import DatatakeMapper, DatatakeTimetable


class S2psPlugin(AirflowPlugin):
    """Timetable, partition mapper and deadline reference of datatakes."""

    name = "s2ps"
    timetables: ClassVar[list[Any]] = [DatatakeTimetable]
    partition_mappers: ClassVar[list[Any]] = [DatatakeMapper]
    deadline_references: ClassVar[list[Any]] = [InputAvailability]
