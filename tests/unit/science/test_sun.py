"""The sun against published positions."""

from datetime import UTC, datetime

import numpy as np
import pytest

from ipf_adapters.science.sun import earth_sun_correction, sun_angles


def test_equinox_sun_is_overhead_at_the_equator() -> None:
    moment = datetime(2026, 3, 20, 14, 46, tzinfo=UTC)
    lon = (12 * 60 - (14 * 60 + 46)) / 4.0 + 7.45 / 4.0
    zenith, _ = sun_angles(moment, lon, 0.0)
    assert float(zenith) < 0.1


def test_published_position() -> None:
    """Reda and Andreas (NREL/TP-560-34302): 2003-10-17 12:30:30 at UTC-7, 39.742476 N 105.1786 W."""
    zenith, azimuth = sun_angles(datetime(2003, 10, 17, 19, 30, 30, tzinfo=UTC), -105.1786, 39.742476)
    assert float(zenith) == pytest.approx(50.1201, abs=0.03)
    assert float(azimuth) == pytest.approx(194.3402, abs=0.03)


def test_arrays_and_distance() -> None:
    zenith, azimuth = sun_angles(datetime(2026, 7, 1, 10, 15, tzinfo=UTC), np.array([[9.0, 10.0]]), 46.0)
    assert zenith.shape == azimuth.shape == (1, 2)
    assert 90 < azimuth[0, 0] < azimuth[0, 1] < 180
    assert earth_sun_correction(datetime(2026, 1, 3, 17, tzinfo=UTC)) == pytest.approx(1 / 0.98330**2, abs=2e-4)
    assert earth_sun_correction(datetime(2026, 7, 6, 17, tzinfo=UTC)) == pytest.approx(1 / 1.01664**2, abs=2e-4)
