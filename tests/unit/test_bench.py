"""What benchmarks say of what they found, and of what they give every function."""

import pytest

from infra.template import ROOT, read_environment
from tests.bench import report
from tests.bench.figures import Figure


def make_figure(seconds: float, limit: float | None) -> Figure:
    return Figure("Warm", "read one", seconds, "floor", 0.010, 30, limit)


@pytest.mark.parametrize(
    ("seconds", "limit", "last_word"),
    [(0.0125, 1.25, "kept"), (0.0126, 1.25, "BROKEN"), (0.1, None, "10.00")],
)
def test_a_ratio_beyond_its_limit_is_a_broken_one(
    seconds: float, limit: float | None, last_word: str
) -> None:
    figure = make_figure(seconds, limit)
    assert report.is_broken(figure) is (last_word == "BROKEN")
    assert report.format_table([figure]).split()[-1] == last_word


def test_the_readme_has_one_place_for_the_table() -> None:
    readme = (ROOT / "README.md").read_text()
    for marker in ("<!-- benchmarks -->", "<!-- /benchmarks -->"):
        assert readme.count(marker) == 1


def test_functions_are_measured_with_what_the_template_gives_them() -> None:
    environment = read_environment()
    assert environment["LOG_LEVEL"] == "INFO"
    assert environment["CORS_ORIGINS"] == "http://localhost:3000"
    assert "DATABASE_URL_ARN" not in environment
