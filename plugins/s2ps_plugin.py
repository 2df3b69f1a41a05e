"""The one file Airflow discovers in the plugins folder; it registers what S2PS adds to Airflow."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from s2ps_airflow.deadlines import InputAvailability
from s2ps_airflow.timetable import DatatakeMapper, DatatakeTimetable, SessionMapper, SessionTimetable


class S2psPlugin(AirflowPlugin):
    """Timetables and partition mappers of sessions and datatakes, deadline reference of datatakes."""

    name = "s2ps"
    timetables = [DatatakeTimetable, SessionTimetable]  # noqa: RUF012
    partition_mappers = [DatatakeMapper, SessionMapper]  # noqa: RUF012
    deadline_references = [InputAvailability]  # noqa: RUF012
