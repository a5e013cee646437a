"""Loading chaincode from packages and folders."""

import sys
from pathlib import Path
from textwrap import dedent

import pytest

from gridloom.chaincode import ChaincodeError, ContractError, LoadError, PeerParameters
from gridloom.chaincode.loader import load, load_path
from gridloom.chaincode.testing import MemoryLedger

CONTRACT = """
from gridloom.chaincode import Context, Contract, transaction

class Greeter(Contract):
    @transaction("evaluate")
    def greet(self, ctx: Context) -> str:
        return "hello"
"""


def write(folder: Path, **files: str) -> Path:
    """Write files into ``folder``; ``a__b`` is a/b.py."""
    for name, text in files.items():
        path = folder.joinpath(*name.split("__")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
    return folder


def greet(chaincode, function="greet"):
    return MemoryLedger().deploy("cc", chaincode).evaluate(function).text


def test_a_module_of_a_package_is_loaded_by_its_dotted_name(tmp_path):
    write(tmp_path, src__energy__init="", src__energy__matching=CONTRACT)
    (tmp_path / "src/energy/init.py").rename(tmp_path / "src/energy/__init__.py")
    assert greet(load(tmp_path, "energy.matching", "energy_1:abc")) == "hello"


def test_a_single_module_need_not_be_named(tmp_path):
    write(tmp_path, src__greeter=CONTRACT)
    assert greet(load(tmp_path, "", "greeter_1:abc")) == "hello"
    assert greet(load(tmp_path, "greeter", "greeter_1:abc")) == "hello"


def test_versions_and_copies_live_side_by_side_and_share_nothing(tmp_path):
    counting = """
        from gridloom.chaincode import Context, Contract, transaction
        from .words import WORD
        calls = []

        class Greeter(Contract):
            @transaction("evaluate")
            def greet(self, ctx: Context) -> str:
                calls.append(1)
                return f"{WORD} {len(calls)}"
    """
    for version in ("1", "2"):
        write(tmp_path / version, src__g__words=f"WORD = 'v{version}'", src__g__main=counting)
    one = load(tmp_path / "1", "g.main", "g_1:abc")
    copy = load(tmp_path / "1", "g.main", "g_1:abc")
    two = load(tmp_path / "2", "g.main", "g_2:def")
    assert [greet(each) for each in (one, one, copy, two)] == ["v1 1", "v1 2", "v1 1", "v2 1"]
    assert "g" not in sys.modules


@pytest.mark.parametrize(
    "imports",
    [
        "from . import rules",
        "from g import rules",
        "import g.rules; rules = g.rules",
        "import g.rules as rules",
        "from g.rules import LIMIT; import g; rules = g.rules",
    ],
)
def test_modules_of_a_package_find_each_other_however_they_import(tmp_path, imports, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    write(tmp_path / "elsewhere", g="raise RuntimeError('the wrong g')")
    monkeypatch.syspath_prepend(str(tmp_path / "elsewhere"))
    main = f"""
from gridloom.chaincode import Context, Contract, transaction
{imports}

class Greeter(Contract):
    @transaction("evaluate")
    def greet(self, ctx: Context) -> str:
        import g.rules
        assert g.rules is rules
        return str(rules.LIMIT)
"""
    write(tmp_path, src__g__rules="LIMIT = 5", src__g__main=main)
    assert greet(load(tmp_path, "g.main", "g_1:abc")) == "5"


def test_dataclasses_of_a_loaded_module_work_as_arguments(tmp_path):
    module = """
        from __future__ import annotations
        from dataclasses import dataclass
        from gridloom.chaincode import Context, Contract, transaction

        @dataclass
        class Order:
            price: int

        class Orders(Contract):
            @transaction("evaluate")
            def price(self, ctx: Context, order: Order) -> int:
                return order.price
    """
    write(tmp_path, src__orders=module)
    orders = MemoryLedger().deploy("orders", load(tmp_path, "orders", "orders_1:abc"))
    assert orders.evaluate("price", {"price": 7}).value(int) == 7


def test_code_carries_the_authors_file_name_while_the_file_is_the_same(tmp_path):
    author = write(tmp_path / "author", greeter=CONTRACT)
    write(tmp_path / "package", src__greeter=CONTRACT)

    def file_of(chaincode):
        return chaincode.contracts["Greeter"].functions["greet"].call.__code__.co_filename

    package = tmp_path / "package"
    assert file_of(load(package, "greeter", "g:1", origin=author)) == str(author / "greeter.py")
    assert file_of(load(package, "greeter", "g:1")) == str(package / "src/greeter.py")
    (author / "greeter.py").write_text(CONTRACT + "# edited\n")
    assert file_of(load(package, "greeter", "g:1", origin=author)) == str(
        package / "src/greeter.py"
    )
    assert not list(tmp_path.rglob("__pycache__"))


def test_the_contracts_are_those_of_the_module_or_the_ones_it_lists(tmp_path):
    module = """
        from gridloom.chaincode import Contract, transaction
        class Base(Contract):
            @transaction
            def shared(self, ctx): ...
        class B(Base): ...
        class A(Base): ...
        class Empty(Contract): ...
    """
    write(tmp_path, src__all=module, src__listed=f"{dedent(module)}\ncontracts = [A, Base]\n")
    write(tmp_path, src__facade="from .all import A")
    loaded = load(tmp_path, "all", "a:1")
    assert (loaded.default, list(loaded.contracts)[:-1]) == ("B", ["B", "A"])
    listed = load(tmp_path, "listed", "a:1")
    assert (listed.default, list(listed.contracts)[:-1]) == ("A", ["A", "Base"])
    assert load(tmp_path, "facade", "a:1").default == "A"


@pytest.mark.parametrize(
    ("files", "path", "message"),
    [
        ({}, "g", "the package has no folder src/"),
        ({"src__a": CONTRACT}, "b", r"there is no module b \(modules here: a\)"),
        ({"src__a": CONTRACT, "src__b": CONTRACT}, "", r"several modules \(a, b\): name one"),
        ({"src__a": "x = 1"}, "a", "module a has no Contract subclass"),
        ({"src__a": "from gridloom.chaincode import Contract"}, "a", "no Contract subclass"),
        ({"src__a": "class A(:\n  pass"}, "a", r"a\.py:1: invalid syntax"),
        ({"src__a": "import nowhere_to_be_found"}, "a", "No module named 'nowhere_to_be_found'"),
        ({"src__a": "from . import b"}, "a", "module a cannot be imported: cannot import name 'b'"),
        ({"src__a": "1 / 0"}, "a", "module a fails when imported: ZeroDivisionError"),
        ({"src__a": CONTRACT}, "../a", "'../a' is not a module's dotted name"),
        ({"src__a": CONTRACT}, "a.py", r"there is no module a\.py"),
        ({"src__a": "contracts = [5]"}, "a", "contracts lists 5, which is no Contract class"),
    ],
)
def test_what_cannot_be_loaded_is_explained(tmp_path, files, path, message):
    write(tmp_path, **files)
    before = set(sys.modules)
    with pytest.raises(LoadError, match=message):
        load(tmp_path, path, "g_1:abc")
    assert {name for name in set(sys.modules) - before if name.startswith("_chaincode")} == set()


def test_a_contract_that_cannot_be_compiled_says_why(tmp_path):
    write(tmp_path, src__a=CONTRACT.replace("ctx: Context", "ctx: Context, price: float"))
    with pytest.raises(ContractError, match=r"Greeter\.greet: parameter 'price': float"):
        load(tmp_path, "a", "g_1:abc")


def test_what_the_peer_says_of_itself_reaches_the_contract(tmp_path):
    write(tmp_path, src__a=CONTRACT.replace('"hello"', "ctx.stub.get_msp_id()"))
    parameters = PeerParameters(msp_id="Org2MSP")
    chaincode = load(tmp_path, "a", "g:1", parameters=parameters)
    assert chaincode.parameters is parameters


def test_development_brings_tracebacks(tmp_path):
    write(tmp_path, src__a=CONTRACT.replace('return "hello"', "raise ValueError('no')"))
    with pytest.raises(ChaincodeError, match=r"(?s)no\nTraceback.*raise ValueError"):
        greet(load(tmp_path, "a", "g:1", development=True))


def test_a_chaincode_is_also_loaded_from_where_its_author_keeps_it(tmp_path):
    write(tmp_path, one=CONTRACT, pack__words="WORD = 'hello'")
    (tmp_path / "pack/__init__.py").write_text(CONTRACT)
    relative = CONTRACT.replace('"hello"', "WORD") + "\nfrom .words import WORD\n"
    write(tmp_path, pack__sub=relative)
    write(tmp_path / "unpacked", src__one=CONTRACT)
    for place in ("one.py", "pack", "pack/sub.py", "unpacked"):
        assert greet(load_path(tmp_path / place)) == "hello"


@pytest.mark.parametrize(
    ("place", "message"),
    [("nowhere", "no such file or folder"), ("a.txt", "not a Python module"), (".", "no module")],
)
def test_a_place_without_a_chaincode_is_explained(tmp_path, place, message):
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(LoadError, match=message):
        load_path(tmp_path / place)
