"""Which attributes a registrar may give to others (fabric-ca's rules, one by one)."""

import pytest

from gridloom.ca.attributes import (
    Attribute,
    AttributeNotAllowed,
    changed,
    check_may_register,
    truth,
    value_of,
)
from gridloom.ca.authority_settings import REGISTRAR


def attributes(**values: str) -> list[Attribute]:
    """``hf_Revoker`` stands for ``hf.Revoker``."""
    return [Attribute(name.replace("_", "."), value) for name, value in values.items()]


def registrar(**values: str) -> list[Attribute]:
    return [Attribute("hf.Registrar.Attributes", "*"), *attributes(**values)]


def test_the_first_registrar_may_give_all_it_has():
    check_may_register(REGISTRAR, REGISTRAR)
    check_may_register(attributes(role="trader", hf_Revoker="false"), REGISTRAR)


@pytest.mark.parametrize(
    ("allowed", "name"),
    [
        ("role", "role"),
        ("a, role", "role"),
        ("ro*", "role"),
        ("app.*", "app.role"),
        ("*", "anything"),
    ],
)
def test_attributes_are_allowed_by_name_or_prefix(allowed, name):
    check_may_register([Attribute(name, "x")], [Attribute("hf.Registrar.Attributes", allowed)])


@pytest.mark.parametrize(("allowed", "name"), [("role", "roles"), ("app.*", "app"), ("", "x")])
def test_others_are_not(allowed, name):
    with pytest.raises(AttributeNotAllowed) as refused:
        check_may_register([Attribute(name, "x")], [Attribute("hf.Registrar.Attributes", allowed)])
    assert refused.value.name == name


def test_who_has_no_list_of_attributes_gives_none():
    with pytest.raises(AttributeNotAllowed, match=r"no hf\.Registrar\.Attributes"):
        check_may_register([Attribute("role", "x")], [])
    check_may_register([], [])


@pytest.mark.parametrize("name", ["hf.EnrollmentID", "hf.Type", "hf.Affiliation"])
def test_what_the_ca_sets_itself_is_not_given(name):
    with pytest.raises(AttributeNotAllowed, match="set by the CA"):
        check_may_register([Attribute(name, "x")], REGISTRAR)


def test_the_prefix_hf_is_reserved():
    with pytest.raises(AttributeNotAllowed, match="reserved"):
        check_may_register([Attribute("hf.Made.Up", "x")], REGISTRAR)


def test_a_flag_is_given_only_by_who_has_it_true():
    check_may_register(attributes(hf_Revoker="true"), registrar(hf_Revoker="1"))
    check_may_register(attributes(hf_Revoker=""), registrar(hf_Revoker="1"))
    for own in ({}, {"hf_Revoker": "false"}, {"hf_Revoker": "perhaps"}):
        with pytest.raises(AttributeNotAllowed):
            check_may_register(attributes(hf_Revoker="true"), registrar(**own))
    with pytest.raises(AttributeNotAllowed, match="perhaps"):
        check_may_register(attributes(hf_Revoker="perhaps"), registrar(hf_Revoker="true"))


def test_roles_given_are_some_of_the_registrars():
    own = [Attribute("hf.Registrar.Roles", "client, peer"), *registrar()]
    for roles in ("client", "PEER,client", ""):
        check_may_register([Attribute("hf.Registrar.Roles", roles)], own)
    with pytest.raises(AttributeNotAllowed, match="'orderer'"):
        check_may_register([Attribute("hf.Registrar.Roles", "client,orderer")], own)


def test_roles_delegated_are_some_of_the_identitys_own_roles():
    own = [Attribute("hf.Registrar.DelegateRoles", "*"), Attribute("hf.Registrar.Roles", "*")]
    own += registrar()
    delegated = [Attribute("hf.Registrar.DelegateRoles", "client")]
    roles = [Attribute("hf.Registrar.Roles", "client,peer")]
    check_may_register([*delegated, *roles], own)
    check_may_register(delegated, own, present=roles)
    for present in (None, [Attribute("hf.Registrar.Roles", "peer")]):
        with pytest.raises(AttributeNotAllowed):
            check_may_register(delegated, own, present)


def test_who_may_give_one_of_the_cas_attributes_has_it_itself():
    wanted = [Attribute("hf.Registrar.Attributes", "role,hf.Revoker")]
    with pytest.raises(AttributeNotAllowed, match=r"itself has no 'hf\.Revoker'"):
        check_may_register(wanted, REGISTRAR)
    check_may_register([*wanted, Attribute("hf.Revoker", "true")], REGISTRAR)
    check_may_register(wanted, REGISTRAR, present=[Attribute("hf.Revoker", "true")])
    narrow = [Attribute("hf.Registrar.Attributes", "role*,hf.Registrar.Attributes")]
    with pytest.raises(AttributeNotAllowed, match="may not give 'other'"):
        check_may_register([Attribute("hf.Registrar.Attributes", "other")], narrow)


def test_changes_replace_add_and_take_away():
    before = [Attribute("a", "1"), Attribute("b", "2", True)]
    after = changed(before, [Attribute("b", "3"), Attribute("a", ""), Attribute("c", "4")])
    assert after == (Attribute("b", "3"), Attribute("c", "4"))
    assert value_of(after, "a") is None


@pytest.mark.parametrize(("text", "value"), [("1", True), ("T", True), ("False", False)])
def test_booleans_are_read_as_go_reads_them(text, value):
    assert truth(text) is value


@pytest.mark.parametrize("text", ["yes", "tRUE", "", "2"])
def test_other_words_are_no_booleans(text):
    with pytest.raises(ValueError, match="invalid syntax"):
        truth(text)
