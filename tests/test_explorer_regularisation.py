"""The regularisation explorer: its mathematics against dlnotes, and its gestures."""

import json

import numpy as np
import pytest
from explorers import JavaScript

from dlnotes.explorers import regularisation

# What test_explorers.py looks at beside the defaults and the extremes.
STATES = [
    {"samples": 13, "degree": 12, "noise": 1.0},  # through all points, far off the picture
    {"degree": 3, "test": "inputs", "seed": 4},
    {"penalty": "l1", "strength": 0.1, "samples": 30, "moved": [2.0] + 29 * [0.0]},
    {"penalty": "l2", "strength": 0.03, "against": "strength", "degree": 12, "test": "inputs"},
    {"penalty": "l1", "strength": 0.02, "against": "strength", "samples": 15, "noise": 0.5},
]


@pytest.fixture(scope="module")
def js() -> JavaScript:
    return JavaScript("maths/polynomials.js", "regularisation/model.js")


@pytest.mark.parametrize("settings", [{}, *STATES], ids=str)
def test_javascript_numbers_are_those_of_dlnotes(js, settings):
    explorer = regularisation.Explorer(**settings)
    fit, known = explorer.fit(), explorer.numbers()
    seen = js(f"seen(clean({json.dumps(explorer.state())}))")["now"]
    # With 13 points and degree 12 the equations lose 5 digits.
    close = {"rtol": 1e-9, "atol": 1e-11}
    np.testing.assert_allclose(list(seen["c"].values()), fit.coefficients, **close)
    for kind in ("training", "test"):
        np.testing.assert_allclose(seen[kind], known[f"{kind}.sample"], **close)
    for column in ("measured", "theory"):
        if seen[column] is None:
            assert fit.theory is None
            continue
        for row, value in seen[column].items():
            np.testing.assert_allclose(value, known[f"{row}.{column}"], **close)
