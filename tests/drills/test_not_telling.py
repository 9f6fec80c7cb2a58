"""The drill that compares times finds a difference where there is one."""

import random

from tests.drills.not_telling import TOO_FAR, ranks


def test_the_ranks_find_a_planted_difference_and_no_other() -> None:
    drawn = random.Random(5)
    left = [drawn.gauss(20, 2) for _ in range(500)]
    right = [drawn.gauss(20, 2) for _ in range(500)]
    slower = [each + 1 for each in right]

    assert abs(ranks(left, right)[1]) < 3
    chance, z = ranks(slower, left)
    assert chance > 0.6
    assert z > TOO_FAR
