import numpy as np
import pytest

from ipf_adapters.simulation import earth
from ipf_adapters.simulation.earth import Surface, Window
from ipf_adapters.simulation.sky import Sky
from ipf_adapters.simulation.truth import Truth
from ipf_adapters.simulation.waves import hashed
from s2ps.model.bands import Band

CENTRE = (599_000.0, 4_999_500.0)


@pytest.fixture(scope="module")
def surface() -> Surface:
    return Surface(5, CENTRE)


@pytest.mark.parametrize("band", [Band.B02, Band.B05, Band.B01])
def test_a_window_of_any_size_shows_the_same_ground(surface: Surface, band: Band) -> None:
    spacing = band.resolution / 2
    large = Window(int(598_000 / spacing), int(4_999_000 / spacing), 160, 120, spacing)
    small = Window(large.column + 31, large.row + 17, 40, 25, spacing)
    whole, part = surface.blurred(large, band), surface.blurred(small, band)
    np.testing.assert_array_equal(whole[17:42, 31:71], part)
    assert whole.std() > 0.001


def test_values_between_nodes_do_not_depend_on_the_window(surface: Surface) -> None:
    rng = np.random.default_rng(1)
    x, y = 598_500.0 + 300.0 * rng.random(50), 4_999_200.0 + 300.0 * rng.random(50)
    near = Window.around(x, y, 5.0)
    wide = near.grown(23)
    values = [earth.interpolate(surface.blurred(window, Band.B03), window, x, y) for window in (near, wide)]
    np.testing.assert_allclose(values[0], values[1], atol=1e-6)


def test_node_values_are_the_interpolation_at_nodes(surface: Surface) -> None:
    window = Window(119_700, 999_900, 60, 60, 5.0)
    coefficients = surface.blurred(window, Band.B04)
    x, y = np.meshgrid(*window.axes())
    direct = earth.interpolate(coefficients, window, x, y)
    np.testing.assert_allclose(earth.at_nodes(coefficients)[2:-2, 2:-2], direct[2:-2, 2:-2], atol=1e-6)


def test_an_edge_is_as_sharp_as_the_point_spread_function() -> None:
    """The blur of a step has the standard deviation of 0.7 pixel, here 1.4 nodes."""
    step = np.zeros((60, 60), dtype=np.float32)
    step[:, 30:] = 1.0
    from scipy import ndimage

    spread = earth.at_nodes(ndimage.gaussian_filter1d(step, earth._NODE_SIGMA, axis=1, truncate=4.0))
    line = np.diff(spread[30].astype(np.float64))
    place = np.arange(line.size)
    mean = np.sum(place * line)
    assert np.sqrt(np.sum((place - mean) ** 2 * line)) == pytest.approx(1.4, abs=0.02)


def test_all_kinds_of_ground_occur_and_have_their_spectra(surface: Surface) -> None:
    window = Window(118_000, 998_000, 900, 900, 10.0)
    nodes = surface.nodes(window)
    classes = nodes.classes[nodes.entry]
    shares = {kind: float(np.mean(classes == kind)) for kind in (4, 5, 6)}
    assert shares[4] > 0.3
    assert shares[5] > 0.2
    assert 0.005 < shares[6] < 0.25
    red, infrared = (surface.blurred(window, band) for band in (Band.B04, Band.B08))
    index = (infrared - red) / (infrared + red)
    assert np.median(index[classes == 4]) > 0.5 > 0.3 > np.median(index[classes == 5])
    assert np.median(infrared[classes == 6]) < 0.05


def test_hash_is_uniform_and_depends_on_everything() -> None:
    i, j = np.meshgrid(np.arange(-50, 50), np.arange(-50, 50))
    keys = ((1, 2, 3, 4), (1, 2, 4, 3), (1, 3, 3, 4), (2, 2, 3, 4))
    values = hashed(1, 2, i, j)
    assert values.min() >= 0.0
    assert values.max() < 1.0
    assert values.mean() == pytest.approx(0.5, abs=0.02)
    assert values.std() == pytest.approx(1 / np.sqrt(12), abs=0.01)
    assert len({float(hashed(*key[:2], *np.array(key[2:])[:, None])[0]) for key in keys}) == 4


def test_sky_does_not_depend_on_the_rectangle_asked_for() -> None:
    sky = Sky(5, CENTRE)
    x, y = np.meshgrid(np.linspace(590_000.0, 608_000.0, 120), np.linspace(4_991_000.0, 5_008_000.0, 110))
    whole = sky.cover(x, y).at(x, y)
    assert whole is not None
    assert 0.01 < np.mean(whole[0] > 0.5) < 0.2
    assert np.mean(whole[1] > 0.012) > 0.01
    cut = (slice(20, 60), slice(30, 90))
    part = sky.cover(x[cut], y[cut]).at(x[cut], y[cut])
    if part is None:
        part = (np.zeros(x[cut].shape, dtype=np.float32),) * 2
    for name, piece in zip(whole, part, strict=True):
        np.testing.assert_allclose(name[cut], piece, atol=1e-6)


def test_neighbouring_tiles_agree_where_they_overlap(truth: Truth) -> None:
    west, east = truth.tile("32TNQ"), truth.tile("32TPQ")
    shared = (west.ulx + west.size(10) * 10 - east.ulx) // 10
    left, right = truth.toa_reflectance(Band.B02, west), truth.toa_reflectance(Band.B02, east)
    assert shared > 3
    np.testing.assert_allclose(left[:, -shared:], right[:, :shared], atol=5e-6)


def test_truth_tells_classes_that_fit_its_reflectances(truth: Truth) -> None:
    counted: set[int] = set()
    for name in ("32TMQ", "32TNQ", "32TPQ", "32TMR", "32TNR", "32TPR"):
        classes = truth.classes(name)
        counted |= {int(value) for value in np.unique(classes)}
        cloud, sure = truth.toa_reflectance(Band.B05, name), truth.interior(name)
        if np.any(sure & (classes == 9)):
            assert cloud[sure & (classes == 9)].min() > 0.35
        clear = truth.cloud_free(name, 20)
        assert not np.any(clear & np.isin(classes, (9, 10)))
        unclouded = truth.clear_toa_reflectance(Band.B05, name)
        np.testing.assert_array_equal(cloud[clear], unclouded[clear])
    assert counted <= {4, 5, 6, 9, 10}
    assert {4, 5} <= counted
