"""A launch may end at any moment, as by `kill -9`: the next one finishes it, and comes to the same end."""

from __future__ import annotations

import pytest

from sealpy.actions.application import launch
from tests.unit.actions.conftest import World
from tests.unit.actions.fleet import Killed
from tests.unit.actions.test_application import CLUSTER, asked, run, shop


def test_wherever_a_run_is_cut_the_next_one_ends_alike_and_repeats_only_the_step_it_was_cut_in(world: World) -> None:
    world.apply(CLUSTER)
    wanted, begun = asked(world, shop(world)), world.fleet
    world.fleet = begun.copy()
    run(world, wanted)
    whole, end = len(world.fleet.log), world.fleet.state
    for cut in range(1, whole + 1):
        world.fleet = begun.copy()
        world.fleet.restart(cut=cut)
        with pytest.raises(BaseException) as caught:  # noqa: PT011 - as kill -9 does, it leaves by any way
            launch(wanted, world.around())
        assert isinstance(caught.value, Killed) or isinstance(caught.value.__context__, Killed)
        before = len(world.fleet.log)
        run(world, wanted)
        assert world.fleet.state == end, f"cut behind change {cut}"
        assert before + len(world.fleet.log) <= whole + 3
        assert run(world, wanted).changed == 0
