"""The one file Airflow discovers in the plugins folder; it registers what S2PS adds to Airflow."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from s2ps_airflow.deadlines import InputAvailability
from s2ps_airflow.timetable import DatatakeMapper, DatatakeTimetable


class S2psPlugin(AirflowPlugin):
    """Timetable, partition mapper and deadline reference of datatakes."""

    name = "s2ps"
    timetables = [DatatakeTimetable]  # noqa: RUF012
    partition_mappers = [DatatakeMapper]  # noqa: RUF012
    deadline_references = [InputAvailability]  # noqa: RUF012
