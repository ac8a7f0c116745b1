"""Fetching what certificates name: only from named hosts, only public addresses, never more than was allowed."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address, ip_address
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID as Access

from api.cli.verifying import UsageRefused, allowed_hosts, verify_path
from api.fetching import fetcher as fetcher_module
from api.fetching.fetcher import Fetcher
from api.fetching.gathering import Fetched, Gathering
from api.fetching.hosts import AllowedHosts, FetchRefused, is_public
from api.settings import Settings
from tests.support.foreign_pki import DAY, Party, answer, authority, crl, person
from tests.support.messages import pem
from trust.kernel.clock import rfc3339
from trust.kernel.report import Indication
from trust.pki.certificate import read_certificate
from trust.pki.ocsp_request import build_ocsp_request
from trust.pki.trust_store import TrustStore
from trust.verify.certificates_inside import certificates_inside
from trust.verify.verifier import verify_bytes

Answer = tuple[int, Mapping[str, str], bytes]


class House:
    """A server on loopback: what stands at each path, and what was asked of it."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, str, str]] = []
        self.bodies: list[bytes] = []
        self.drip = False
        house = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path != "/readyz":  # another test's supervisor, which had this port a moment ago
                    house.asked.append((self.command, self.path, self.headers["Host"]))
                status, headers, body = house.answers.get(self.path, (404, {}, b""))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in headers:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                for at in range(len(body)) if house.drip else ():
                    time.sleep(0.05)
                    try:
                        self.wfile.write(body[at : at + 1])
                        self.wfile.flush()
                    except OSError:
                        return
                if not house.drip:
                    self.wfile.write(body)

            def do_POST(self) -> None:
                house.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.do_GET()

            def log_message(self, *_arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self.name = f"pki.test:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def url(self, path: str, scheme: str = "http") -> str:
        return f"{scheme}://{self.name}{path}"

    def hosts(self, **changes: Any) -> AllowedHosts:
        given: dict[str, Any] = {
            "names": frozenset({self.name}),
            "resolve": lambda _host, _port: [ip_address("127.0.0.1")],
            "allow_loopback": True,
        }
        return AllowedHosts(**(given | changes))

    def fetcher(self, **changes: Any) -> Fetcher:
        return Fetcher(self.hosts(), **changes)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@pytest.fixture
def house() -> Iterator[House]:
    opened = House()
    yield opened
    opened.close()


def test_what_stands_at_an_allowed_address_is_fetched(house):
    house.answers["/a.crl?x=1"] = (200, {}, b"list")
    assert house.fetcher().get(house.url("/a.crl?x=1"), limit=10) == b"list"
    assert house.asked == [("GET", "/a.crl?x=1", house.name)]


@pytest.mark.parametrize(
    "url",
    [
        "http://other.test/a",
        "http://pki.test/a",
        "http://sub.pki.test:{port}/a",
        "http://pki.test.evil.test:{port}/a",
        "http://pki.test:{port}@evil.test/a",
        "http://user:word@pki.test:{port}/a",
        "https://pki.test:1/a",
        "ftp://pki.test:{port}/a",
        "ldap://pki.test:{port}/cn=x",
        "file:///etc/passwd",
        "http:///a",
        "http://pki.test:{port}/a b",
        "http://pki.test:{port}/a\r\nHost: evil",
        "http://pki.test:{port}/" + "a" * 3000,
        "http://пки.test:{port}/a",
        "http://pki.test:99999/a",
        "http://[::1",
        "",
    ],
)
def test_any_other_address_is_refused_before_anything_is_sent(house, url):
    with pytest.raises(FetchRefused):
        house.fetcher().get(url.replace("{port}", str(house.port)), limit=10)
    assert house.asked == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:7f00:1::",
        "2001:db8::1",
        "fec0::1",
        "3fff::1",
        "192.88.99.1",
    ],
)
def test_a_name_that_leads_inside_is_refused(house, address):
    assert not is_public(ip_address(address))
    hosts = house.hosts(resolve=lambda *_: [ip_address("8.8.8.8"), ip_address(address)], allow_loopback=False)
    with pytest.raises(FetchRefused, match="not public"):
        Fetcher(hosts).get(house.url("/"), limit=10)
    assert house.asked == []


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_public(address):
    assert is_public(ip_address(address))


def test_loopback_is_refused_unless_a_test_says_otherwise(house):
    assert AllowedHosts.parse("crl.test").allow_loopback is False
    with pytest.raises(FetchRefused, match="not public"):
        Fetcher(house.hosts(allow_loopback=False)).get(house.url("/"), limit=10)
    inside = house.hosts(resolve=lambda *_: [ip_address("10.0.0.1")])
    with pytest.raises(FetchRefused, match="not public"):
        Fetcher(inside).get(house.url("/"), limit=10)


def test_the_name_is_resolved_once_and_the_connection_goes_where_that_led(house):
    resolved = []

    def changing(host: str, _port: int) -> list[IPv4Address]:
        resolved.append(host)
        return [IPv4Address("127.0.0.1") if len(resolved) == 1 else IPv4Address("127.0.0.2")]

    house.answers["/a"] = (200, {}, b"x")
    Fetcher(house.hosts(resolve=changing)).get(house.url("/a"), limit=10)
    assert resolved == ["pki.test"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(house, status):
    house.answers["/a"] = (status, {"Location": house.url("/b")}, b"")
    house.answers["/b"] = (200, {}, b"x")
    with pytest.raises(FetchRefused, match="redirects are not followed"):
        house.fetcher().get(house.url("/a"), limit=10)
    assert len(house.asked) == 1


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ((404, {}, b""), "answered 404"),
        ((500, {}, b""), "answered 500"),
        ((200, {}, bytes(11)), "more than the 10 octets"),
        ((200, {"Content-Length": "5"}, bytes(9)), ""),
        ((200, {"Content-Length": "9"}, bytes(5)), "broke off|failed|took"),
        ((200, {"Content-Encoding": "gzip"}, b"x"), "coding"),
    ],
)
def test_what_is_not_as_asked_is_not_taken(house, given, why):
    house.answers["/a"] = given
    if not why:
        assert house.fetcher().get(house.url("/a"), limit=10) == bytes(5)
        return
    with pytest.raises(FetchRefused, match=why):
        house.fetcher(seconds=1.0).get(house.url("/a"), limit=10)


def test_octets_that_drip_are_cut_off_at_the_deadline(house):
    house.drip = True
    house.answers["/a"] = (200, {}, bytes(200))
    began = time.monotonic()
    with pytest.raises(FetchRefused, match=r"took too long|broke off"):
        house.fetcher(seconds=0.4).get(house.url("/a"), limit=1000)
    assert time.monotonic() - began < 3


def test_a_server_that_says_nothing_is_cut_off_at_the_deadline():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        hosts = AllowedHosts(
            names=frozenset({f"pki.test:{port}"}),
            resolve=lambda *_: [ip_address("127.0.0.1")],
            allow_loopback=True,
        )
        for scheme in ("http", "https"):
            with pytest.raises(FetchRefused):
                Fetcher(hosts, seconds=0.3).get(f"{scheme}://pki.test:{port}/", limit=10)


def test_one_verification_asks_only_so_often(house):
    house.answers["/a"] = (200, {}, b"x")
    fetcher = house.fetcher(most=2)
    for _ in range(2):
        fetcher.get(house.url("/a"), limit=10)
    with pytest.raises(FetchRefused, match="as much"):
        fetcher.get(house.url("/a"), limit=10)


def test_https_is_verified_for_the_name_and_not_for_the_address(tmp_path):
    now = datetime.now(UTC)
    root = authority("tls root", not_before=now - DAY, not_after=now + DAY)
    served = tls_party("pki.test", root, now)
    chain = tmp_path / "chain.pem"
    chain.write_bytes(
        served.certificate.public_bytes(Encoding.PEM)
        + served.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    house = House(context)
    try:
        house.answers["/a"] = (200, {}, b"x")
        trusting = ssl.create_default_context(cadata=root.certificate.public_bytes(Encoding.PEM).decode())
        assert house.fetcher(tls=trusting).get(house.url("/a", "https"), limit=10) == b"x"
        with pytest.raises(FetchRefused):
            house.fetcher().get(house.url("/a", "https"), limit=10)
        house.name = f"other.test:{house.port}"
        with pytest.raises(FetchRefused):
            house.fetcher(tls=trusting).get(house.url("/a", "https"), limit=10)
    finally:
        house.close()


def tls_party(host: str, root: Party, now: datetime) -> Party:
    return person(
        host,
        root,
        names=[x509.DNSName(host)],
        extensions=[(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), False)],
        not_before=now - DAY,
        not_after=now + DAY,
    )


@pytest.mark.parametrize(
    "text", ["*.example", "http://crl.example", "a b", "crl.example:x", "crl.example/path", ":80"]
)
def test_patterns_and_addresses_are_no_host_names(text):
    with pytest.raises(FetchRefused):
        AllowedHosts.parse(text)


def test_host_names_are_read_as_written():
    assert AllowedHosts.parse(" CRL.Example. , ocsp.example:8080,").names == {
        "crl.example",
        "ocsp.example:8080",
    }
    with pytest.raises(UsageRefused, match="YINXIN_FETCH_HOSTS"):
        allowed_hosts(Settings())


class Hierarchy:
    """A root, an authority below it and a signer, whose certificates name where everything is."""

    def __init__(self, house: House) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)
        life: dict[str, Any] = {"not_before": self.now - DAY, "not_after": self.now + 30 * DAY}
        self.root = authority("fetch root", **life)
        self.sub = authority(
            "fetch sub",
            self.root,
            extensions=[named(issuers=[house.url("/root.cer")]), points(house.url("/root.crl"))],
            **life,
        )
        self.leaf = person(
            "fetch leaf",
            self.sub,
            extensions=[
                named(issuers=[house.url("/sub.p7c")], responders=[house.url("/ocsp")]),
                points(house.url("/sub.crl")),
            ],
            **life,
        )
        self.trust = TrustStore(anchors=(self.root.der,))
        house.answers["/sub.p7c"] = (200, {}, pem(self.sub.der, "CERTIFICATE"))
        house.answers["/root.crl"] = (200, {}, crl(self.root, **self.updates))
        house.answers["/sub.crl"] = (200, {}, crl(self.sub, **self.updates))
        house.answers["/ocsp"] = (200, {}, self.answered())

    @property
    def updates(self) -> dict[str, datetime]:
        return {"this_update": self.now - timedelta(hours=1), "next_update": self.now + DAY}

    def answered(self, **given: Any) -> bytes:
        return answer(self.leaf, self.sub, **(self.updates | given))


def named(*, issuers: list[str], responders: list[str] | None = None) -> tuple[x509.ExtensionType, bool]:
    described = [(Access.CA_ISSUERS, url) for url in issuers] + [
        (Access.OCSP, url) for url in responders or ()
    ]
    return x509.AuthorityInformationAccess(
        [x509.AccessDescription(method, x509.UniformResourceIdentifier(url)) for method, url in described]
    ), False


def points(url: str) -> tuple[x509.ExtensionType, bool]:
    point = x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)
    return x509.CRLDistributionPoints([point]), False


def gathered(house: House, tree: Hierarchy) -> tuple[TrustStore, list[Fetched]]:
    log: list[Fetched] = []
    gathering = Gathering(house.fetcher(), log=log.append)
    certificates = certificates_inside(tree.leaf.der, "leaf.cer")
    return gathering.beside(certificates, tree.trust), log


def judged(tree: Hierarchy, trust: TrustStore) -> Indication:
    return verify_bytes(tree.leaf.der, name="leaf.cer", trust=trust, at=datetime.now(UTC)).indication


def test_chain_answer_and_lists_are_fetched_and_make_the_answer_known(house):
    tree = Hierarchy(house)
    assert judged(tree, tree.trust) is Indication.CANNOT_TELL
    trust, log = gathered(house, tree)
    assert judged(tree, trust) is Indication.VALID
    assert trust.anchors == tree.trust.anchors, "what was fetched is never an anchor"
    assert {path for _, path, _ in house.asked} == {"/sub.p7c", "/ocsp", "/root.crl"}
    assert all(not each.refused for each in log)
    request = ocsp.load_der_ocsp_request(house.bodies[0])
    assert request.serial_number == tree.leaf.serial


def test_where_the_responder_is_away_the_lists_are_asked(house):
    tree = Hierarchy(house)
    house.answers["/ocsp"] = (503, {}, b"")
    trust, log = gathered(house, tree)
    assert judged(tree, trust) is Indication.VALID
    assert [each.url for each in log if each.refused] == [house.url("/ocsp")]


def test_a_revocation_that_is_fetched_counts(house):
    tree = Hierarchy(house)
    revoked = {"status": ocsp.OCSPCertStatus.REVOKED, "revoked_at": tree.now - timedelta(hours=2)}
    house.answers["/ocsp"] = (200, {}, tree.answered(**revoked))
    trust, _ = gathered(house, tree)
    assert judged(tree, trust) is Indication.INVALID


@pytest.mark.parametrize("rubbish", [b"", b"rubbish", b"\x30\x80", bytes(70_000)])
def test_rubbish_that_is_fetched_spoils_nothing_and_helps_nothing(house, rubbish):
    tree = Hierarchy(house)
    for path in house.answers:
        house.answers[path] = (200, {}, rubbish)
    trust, _ = gathered(house, tree)
    assert judged(tree, trust) is Indication.CANNOT_TELL
    assert (trust.crls, trust.ocsps) == ((), ())


def test_a_host_that_lies_makes_nothing_valid(house):
    tree = Hierarchy(house)
    forged = authority("fetch sub", not_before=tree.now - DAY, not_after=tree.now + DAY)
    house.answers["/sub.p7c"] = (200, {}, forged.der)
    house.answers["/ocsp"] = (200, {}, answer(tree.leaf, forged, **tree.updates))
    trust, _ = gathered(house, tree)
    assert judged(tree, trust) is not Indication.VALID


def test_the_request_is_the_one_that_another_writer_makes():
    root = authority("r")
    leaf = person("l", root)
    ours = build_ocsp_request(read_certificate(leaf.der), read_certificate(root.der))
    theirs = (
        ocsp.OCSPRequestBuilder().add_certificate(leaf.certificate, root.certificate, hashes.SHA1()).build()
    )
    assert ours == theirs.public_bytes(Encoding.DER)


def test_the_command_fetches_only_when_told_and_says_what_it_asked(house, tmp_path, capsys):
    tree = Hierarchy(house)
    file, folder = tmp_path / "leaf.cer", tmp_path / "trust"
    folder.mkdir()
    file.write_bytes(tree.leaf.der)
    (folder / "root.cer").write_bytes(tree.root.der)
    options: dict[str, Any] = {"trust": folder, "at": None, "language": "en", "as_json": False}
    assert verify_path(file, **options) == 2
    assert house.asked == []
    assert verify_path(file, hosts=house.hosts(), **options) == 0
    assert house.url("/ocsp") in capsys.readouterr().err
    with pytest.raises(UsageRefused, match="--at"):
        verify_path(file, hosts=house.hosts(), **(options | {"at": rfc3339(tree.now)}))


def test_the_deadline_counts_for_every_address_that_is_tried(house, monkeypatch):
    tried = []

    def silent(where, timeout):
        tried.append(timeout)
        time.sleep(timeout)
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", silent)
    hosts = house.hosts(resolve=lambda *_: [ip_address("127.0.0.1")] * 8)
    with pytest.raises(FetchRefused):
        Fetcher(hosts, seconds=0.2).get(house.url("/"), limit=10)
    assert sum(tried) <= 0.3


def test_all_answers_together_are_bounded(house, monkeypatch):
    monkeypatch.setattr(fetcher_module, "MAX_OCTETS", 15)
    house.answers["/ten"] = (200, {}, bytes(10))
    fetcher = Fetcher(house.hosts())
    assert fetcher.get(house.url("/ten"), limit=100) == bytes(10)
    with pytest.raises(FetchRefused):
        fetcher.get(house.url("/ten"), limit=100)
