"""Wilson's intervals."""

from __future__ import annotations

import math

import pytest

from precipice.study.shares import Share


@pytest.mark.parametrize("of", [1, 2, 30, 4096])
def test_the_interval_holds_what_the_score_test_does_not_reject(of):
    """At its ends |count/of - p| = z √(p (1 - p)/of), 0 and 1 where nothing else can be."""
    for count in {0, 1, of // 3, of // 2, of - 1, of}:
        share = Share(count, of)
        low, high = share.interval
        assert 0 <= low <= share.value <= high <= 1
        for end in (low, high):
            if 0 < end < 1:
                distance = 1.959963984540054 * math.sqrt(end * (1 - end) / of)
                assert math.isclose(abs(share.value - end), distance, rel_tol=1e-9)
        assert (low == 0) == (count == 0)
        assert (high == 1) == (count == of)


def test_known_values():
    """Of 24 in 30, as in Newcombe's tables of the method without correction."""
    assert Share(24, 30).to_dict() == {
        "count": 24,
        "of": 30,
        "share": 0.8,
        "low": pytest.approx(0.6269, abs=1e-4),
        "high": pytest.approx(0.9050, abs=1e-4),
    }
    assert str(Share(0, 30)) == "0/30 0.00 [0.00, 0.11]"
