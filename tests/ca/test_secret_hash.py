"""Secrets are hashed slowly, with a salt, and tell nothing of themselves."""

import itertools
import os

import pytest

from gridloom.ca import secret_hash
from gridloom.ca.secret_hash import generate_secret, hash_secret, is_secret


@pytest.fixture(autouse=True)
def real_cost(monkeypatch):
    monkeypatch.setattr(secret_hash, "MEMORY", 19 * 1024)
    monkeypatch.setattr(secret_hash, "PASSES", 2)
    secret_hash._nobody.cache_clear()


def test_a_secret_is_known_again():
    hashed = hash_secret("pässword", os.urandom)
    assert is_secret("pässword", hashed)
    assert not is_secret("password", hashed)
    assert not is_secret("", hashed)


def test_the_hash_is_salted_and_names_its_parameters():
    hashed = hash_secret("adminpw", os.urandom)
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert "adminpw" not in hashed
    assert hashed != hash_secret("adminpw", os.urandom)


def test_nobody_has_a_secret():
    assert not is_secret("", None)
    assert not is_secret("adminpw", None)


def test_whoever_does_not_exist_costs_the_same_work(monkeypatch):
    done = []

    class Counting:
        @staticmethod
        def verify_phc_encoded(secret, hashed):
            done.append(hashed.rsplit("$", 2)[0])

    monkeypatch.setattr("gridloom.ca.secret_hash.Argon2id", Counting)
    hashed = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$eA"
    is_secret("x", None)
    is_secret("x", hashed)
    assert done[0] == done[1]


def test_a_damaged_hash_fits_no_secret():
    for damaged in ("", "$argon2id$", "adminpw", "$2a$10$bcryptbcryptbcryptbcrypt"):
        assert not is_secret("adminpw", damaged)


def test_generated_secrets_are_twelve_letters():
    secrets = {generate_secret(os.urandom) for _ in range(50)}
    assert len(secrets) == 50
    assert all(len(secret) == 12 and secret.isascii() and secret.isalpha() for secret in secrets)


def test_every_letter_is_as_likely_as_any_other():
    """Bytes that would favour the first letters are passed over."""
    numbers = itertools.cycle(range(256))
    letters = "".join(
        generate_secret(lambda size: bytes(itertools.islice(numbers, size))) for _ in range(13)
    )
    assert len(set(letters)) == 52
