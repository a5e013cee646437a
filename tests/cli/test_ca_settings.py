"""Where the settings of fabric-ca-client come from, and which of them counts."""

import pytest
import typer
import yaml

from gridloom.cli.ca_attributes import attribute_requests, attributes
from gridloom.cli.ca_config_file import default_file
from gridloom.cli.ca_settings import FILE_NAME, SETTINGS, ClientSettings
from gridloom.client.enrollment import Attribute, AttributeRequest, BadAuthorityUrl
from gridloom.common.settings import InvalidSetting


def settings(folder, environment=(), **given):
    named = {setting.parameter: setting.name for setting in SETTINGS}
    options = {named[name]: value for name, value in given.items()}
    return ClientSettings(options, {"FABRIC_CA_CLIENT_HOME": str(folder), **dict(environment)})


def written(home, text):
    (home / FILE_NAME).write_text(text)


def test_an_option_counts_before_a_variable_and_that_before_the_file(tmp_path):
    variable = {"FABRIC_CA_CLIENT_CANAME": "of-the-variable"}
    assert settings(tmp_path).text("caname") == ""
    written(tmp_path, "caname: of-the-file\n")
    assert settings(tmp_path).text("caname") == "of-the-file"
    assert settings(tmp_path, variable).text("caname") == "of-the-variable"
    assert settings(tmp_path, variable, caname="given").text("caname") == "given"
    assert settings(tmp_path, {"FABRIC_CA_CLIENT_CANAME": ""}).text("caname") == "of-the-file"


def test_what_nobody_says_has_a_default(tmp_path):
    nothing = settings(tmp_path)
    assert nothing.url.geturl() == "http://localhost:7054"
    assert nothing.path("mspdir") == tmp_path / "msp"
    assert nothing.number("csr.keyrequest.size") == 256
    assert not nothing.flag("csr.keyrequest.reusekey")
    assert not nothing.texts("csr.hosts")


def test_lists_are_separated_by_commas_wherever_they_are_given(tmp_path):
    assert settings(tmp_path, csr_hosts=["a", "b,c"]).texts("csr.hosts") == ["a", "b", "c"]
    variable = {"FABRIC_CA_CLIENT_CSR_HOSTS": "a,b"}
    assert list(settings(tmp_path, variable).texts("csr.hosts")) == ["a", "b"]
    written(tmp_path, "csr: {hosts: [a, b]}\ntls: {certfiles: one.pem}\n")
    assert list(settings(tmp_path).texts("csr.hosts")) == ["a", "b"]
    assert list(settings(tmp_path).texts("tls.certfiles")) == ["one.pem"]


def test_double_quotes_keep_commas_together(tmp_path):
    given = settings(tmp_path, id_attrs=['"hf.Registrar.Roles=peer,client",hf.Revoker=true'])
    assert given.texts("id.attrs") == ["hf.Registrar.Roles=peer,client", "hf.Revoker=true"]


@pytest.mark.parametrize("name", ["FABRIC_CA_CLIENT_HOME", "FABRIC_CA_HOME", "CA_CFG_PATH"])
def test_the_home_may_be_said_in_several_ways(tmp_path, name):
    assert ClientSettings({}, {name: str(tmp_path)}).file == tmp_path / FILE_NAME


def test_options_say_where_the_file_is(tmp_path):
    assert settings("/nowhere", home=str(tmp_path)).home == tmp_path
    other = settings(tmp_path, config=str(tmp_path / "sub" / "my.yaml"))
    assert (other.file, other.home) == (tmp_path / "sub" / "my.yaml", tmp_path / "sub")


def test_the_url_may_carry_a_name_and_a_secret(tmp_path):
    given = settings(tmp_path, url="https://alice:s%40cret:x@localhost:7054")
    assert given.credentials == ("alice", "s@cret:x")
    assert settings(tmp_path, url="localhost:7054").url.geturl() == "http://localhost:7054"


def test_https_needs_somebody_to_trust(tmp_path):
    with pytest.raises(BadAuthorityUrl, match=r"tls\.certfiles") as bad:
        settings(tmp_path, url="https://admin:adminpw@localhost:7054").authority()
    assert "adminpw" not in str(bad.value)


def test_the_default_file_says_what_was_said(tmp_path):
    given = settings(tmp_path, url="https://al:pw@localhost:7054", mspdir="x: y", myhost="my.host")
    text = default_file(given, "al # ice")
    assert "pw@" not in text
    written(tmp_path, text)
    read = settings(tmp_path)
    assert read.text("url") == "https://localhost:7054"
    assert (read.text("csr.cn"), read.text("mspdir")) == ("al # ice", "x: y")
    assert list(read.texts("csr.hosts")) == ["my.host"]
    (names,) = read.entries("csr.names")
    assert names["O"] == "Hyperledger"
    assert not read.entries("id.attributes")


def test_every_key_of_the_default_file_is_a_setting(tmp_path):
    def keys(document, prefix=""):
        for name, value in document.items():
            if isinstance(value, dict):
                yield from keys(value, f"{prefix}{name}.")
            else:
                yield prefix + name

    document = yaml.safe_load(default_file(settings(tmp_path), "alice"))
    known = {setting.name for setting in SETTINGS} | {"id.attributes"}
    assert set(keys(document)) <= known


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("csr: {keyrequest: {size: many}}", "csr.keyrequest.size"),
        ("csr: {keyrequest: {reusekey: perhaps}}", "csr.keyrequest.reusekey"),
        ("[]", FILE_NAME),
        ("csr: {names: [a]}", "csr.names"),
        ("url: [a]", "url"),
    ],
)
def test_a_file_that_says_nonsense_is_refused_by_name(tmp_path, text, name):
    written(tmp_path, text)
    read = settings(tmp_path)

    def read_all():
        read.number("csr.keyrequest.size")
        read.flag("csr.keyrequest.reusekey")
        read.entries("csr.names")
        read.text("url")

    with pytest.raises(InvalidSetting, match=name):
        read_all()


@pytest.mark.parametrize("name", ["/etc/key", "../key", "a/../../key"])
def test_files_of_the_msp_folder_stay_in_it(tmp_path, name):
    with pytest.raises(typer.BadParameter, match="relative path within"):
        settings(tmp_path, myskfile=name).msp_folder()


def test_attributes():
    assert attributes(["a=1", "b=2:ecert", "", "c=x=y"]) == [
        Attribute("a", "1"), Attribute("b", "2", True), Attribute("c", "x=y"),
    ]  # fmt: skip
    for wrong in ("a", "a=1:x", "a=1:ecert:ecert"):
        with pytest.raises(typer.BadParameter):
            attributes([wrong])


def test_attribute_requests():
    assert attribute_requests(["a", "b:opt"]) == [
        AttributeRequest("a"), AttributeRequest("b", optional=True),
    ]  # fmt: skip
    for wrong in ("a:x", "a:opt:opt"):
        with pytest.raises(typer.BadParameter):
            attribute_requests([wrong])
