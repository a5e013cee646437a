"""market/households, storage and weather: what a generated street must be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridloom.market.community import Community, Device, DeviceKind, User
from gridloom.market.errors import CommunityError
from gridloom.market.households import Street, generate
from gridloom.market.storage import self_consume
from gridloom.market.weather import clear_sky


def street(seed=0, **changes):
    return generate(Street(**changes), np.random.default_rng(seed))


def test_the_same_seed_gives_the_same_street_and_another_gives_another():
    one, again, other = street(3), street(3), street(4)
    assert one.users == again.users
    assert (one.load == again.load).all()
    assert (one.generation == again.generation).all()
    assert (one.load != other.load).any()


@pytest.mark.parametrize("kind", ["pv", "storage", "heat_pump", "ev"])
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_exactly_the_share_of_households_owns_a_device(kind, share):
    community = street(households=10, **{kind: share})
    assert sum(user.has(DeviceKind(kind)) for user in community.users) == round(10 * share)


def test_a_day_has_the_intervals_its_minutes_make():
    for minutes, days in ((15, 1), (60, 2), (5, 1)):
        assert street(households=2, minutes=minutes, days=days).load.shape == (
            days * 24 * 60 // minutes,
            2,
        )


def test_there_is_no_sun_at_night_and_more_of_it_in_summer():
    summer = street(households=20, pv=1, storage=0)
    winter = street(households=20, pv=1, storage=0, first_day=5)
    assert summer.generation[:12].sum() == 0  # until three in the morning
    assert summer.generation.sum() > 2 * winter.generation.sum()


def test_heat_pumps_work_in_winter():
    common = {"households": 20, "pv": 0, "storage": 0, "ev": 0}
    with_pumps = street(heat_pump=1, first_day=15, **common).load.sum()
    without = street(heat_pump=0, first_day=15, **common).load.sum()
    in_summer = street(heat_pump=1, first_day=190, **common).load.sum()
    assert with_pumps > 1.5 * without
    assert with_pumps > 1.5 * in_summer


def test_evs_charge_in_the_evening_and_get_what_they_drove():
    common = {"households": 50, "pv": 0, "storage": 0, "heat_pump": 0}
    more = street(ev=1, **common).load.sum(axis=1) - street(ev=0, **common).load.sum(axis=1)
    assert more[: 14 * 4].sum() == 0
    assert 50 * 3_000 < more.sum() < 50 * 15_000  # Wh, at a median of 7 kWh


def test_a_year_of_base_load_is_a_households():
    days = 28
    load = street(households=200, days=days, pv=0, storage=0, heat_pump=0, ev=0).load
    yearly = load.sum(axis=0) / 1000 * 365 / days
    assert 2_300 < np.median(yearly) < 3_900


def test_clear_sky_is_highest_at_noon_and_zero_below_the_horizon():
    hours = np.arange(0, 24, 0.5)
    sun = clear_sky(50.0, np.full_like(hours, 172), hours)
    assert hours[np.argmax(sun)] == 12
    assert sun[0] == 0
    assert 0.8 < sun.max() < 1.0


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(-3000, 3000), min_size=1, max_size=12),
    st.integers(0, 9000),
    st.integers(0, 8000),
    st.integers(50, 100),
)
def test_a_battery_keeps_its_limits_and_loses_only_what_charging_loses(
    net, capacity, power, efficiency
):
    size = np.array([capacity])
    done = self_consume(
        np.array(net)[:, None], size, np.array([power]), 15, efficiency_percent=efficiency
    )
    stored = (done.charge * efficiency // 100).sum()
    assert capacity // 2 + stored - done.discharge.sum() == done.level[-1, 0]
    assert ((done.level >= 0) & (done.level <= capacity)).all()
    assert (np.maximum(done.charge, done.discharge) <= power * 15 // 60).all()
    after = np.array(net)[:, None] - done.charge + done.discharge
    assert (np.abs(after) <= np.abs(np.array(net)[:, None])).all()


@pytest.mark.parametrize(
    ("load", "users", "says"),
    [
        ([[-1, 0]], ("a", "b"), "load of a, interval 0: -1 Wh is negative"),
        ([[1]], ("a", "b"), r"load: has shape \(1, 1\), not \(1, 2\)"),
        ([[1, 1]], ("a", "a"), "users: 'a' is there twice"),
    ],
)
def test_a_community_that_cannot_be_is_refused(load, users, says):
    prices = street(households=1).prices[:1]
    with pytest.raises(CommunityError, match=says):
        Community(tuple(map(User, users)), np.array(load), np.array([[1, 1]]), prices)


def test_a_negative_capacity_is_refused():
    with pytest.raises(CommunityError, match="device pv: capacity -5 is negative"):
        Device(DeviceKind.PV, -5)
