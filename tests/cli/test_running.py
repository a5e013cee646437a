"""What options leave open: the user to act as."""

from types import SimpleNamespace

import pytest

from gridloom.cli.running import user_of


@pytest.mark.parametrize(
    ("users", "named", "actor"),
    [
        (["Admin", "User1", "User2"], "", "User1"),
        (["Admin", "User1"], "Admin", "Admin"),
        (["Admin", "desk", "auditor"], "", "auditor"),
        (["Admin"], "", "Admin"),
        (["Admin", "desk"], "nobody", "nobody"),
    ],
)
def test_the_user_is_the_one_named_else_user1_else_the_first_that_is_no_administrator(
    users, named, actor
):
    organization = SimpleNamespace(users=dict.fromkeys(users))
    access = SimpleNamespace(material=SimpleNamespace(organization=lambda msp_id: organization))
    assert user_of(access, "Org1MSP", named) == actor
