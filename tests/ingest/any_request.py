"""Requests of every kind, in order and not, for a receiver with the tokens and networks below."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from hypothesis import strategies as st

from tests.ingest.asgi import Request

TOKENS = ("first-secret", "second-secret")
PUSH_PATHS = [f"/yunpian/status/{token}" for token in TOKENS]
MOBILE, SID = "15205201314", "952712345678"
LIMIT_BYTES = 300
RECORD = f'[{{"sid":{SID},"mobile":"{MOBILE}"}}]'.encode()


SETTINGS = {
    "push_tokens": ",".join(TOKENS),
    "max_body_bytes": str(LIMIT_BYTES),
    "allowed_networks": "192.0.2.0/24,2001:db8::/32",
    "trusted_proxies": "10.0.0.0/8,fd00::/8",
}


class Client(NamedTuple):
    """An address as a header or a socket spells it, and what it is to the receiver."""

    spelling: str
    kind: str
    address: str = ""


ALLOWED = [
    Client("192.0.2.7", "allowed", "192.0.2.7"),
    Client("::ffff:192.0.2.7", "allowed", "192.0.2.7"),
    Client("2001:DB8::7", "allowed", "2001:db8::7"),
]
OTHERS = [
    Client("198.51.100.9", "stranger"),
    Client("::ffff:198.51.100.9", "stranger"),
    Client("2001:db9::7", "stranger"),
    Client("10.0.0.1", "proxy"),
    Client("::ffff:10.0.0.2", "proxy"),
    Client("fd00::1", "proxy"),
    Client("", "nonsense"),
    Client("192.0.2.7.", "nonsense"),
]
FORWARDED = [
    *ALLOWED,
    *OTHERS,
    Client("192.0.2.7:4711", "allowed", "192.0.2.7"),
    Client(" [2001:db8::7]:4711", "allowed", "2001:db8::7"),
    Client("[::ffff:198.51.100.9]", "stranger"),
    Client("10.0.0.3:80 ", "proxy"),
    Client("_hidden", "nonsense"),
]

NO_HEADER = b""
lengths = st.sampled_from(
    [NO_HEADER, b"12", b"%d" % LIMIT_BYTES, b"%d" % (LIMIT_BYTES + 1), b"9" * 30]
)
transfers = st.sampled_from([b"chunked", b"Chunked", b"gzip, chunked", b"identity"])
codings = st.sampled_from([b"", b"identity", b"IDENTITY ", b"gzip", b"br", b"identity, gzip"])
odd_headers = st.tuples(
    st.binary(min_size=1).map(lambda name: b"x-" + name.lower()),
    st.binary() | st.just(f"{TOKENS[0]} {MOBILE}".encode()),
)
other_methods = st.sampled_from(["GET", "HEAD", "PUT", "OPTIONS"]) | st.text("AZ_-")
other_paths = st.one_of(
    st.sampled_from(["/", "/yunpian/status", "/yunpian/status/", PUSH_PATHS[0] + "/"]),
    st.text(st.characters()).map("/yunpian/status/".__add__),
    st.text(st.characters()).map("/".__add__),
)
form_pieces = st.sampled_from(
    [
        *(b"sms_status=", b"sms%5fstatus", b"%73ms%5Fstatus=", b"&", b"=", b"a=1", b"sms_statu"),
        *(RECORD, b"%", b"\xff\xfe", b'"\\\x00\r\n', b"x" * 150, b"x" * 300),
    ]
)


@dataclass(frozen=True)
class Asked:
    """A request, and over which addresses it says to have come."""

    request: Request
    peer: Client
    hops: list[Client]

    @property
    def client(self) -> Client:
        """The nearest one that no trusted proxy vouches for."""
        client = self.peer
        for hop in reversed(self.hops):
            if client.kind != "proxy" or hop.kind == "nonsense":
                break
            client = hop
        return client


@st.composite
def any_request(draw: st.DrawFn) -> Asked:
    """Draw a request in which most things are in order most of the time."""

    def mostly(usual: Any, other: st.SearchStrategy[Any]) -> Any:
        return draw(other) if draw(st.integers(0, 4)) == 0 else usual

    pieces = draw(st.lists(form_pieces | st.binary(), max_size=5))
    pieces = mostly([b"sms_status=", *pieces], st.just(pieces))
    peer = mostly(draw(st.sampled_from(ALLOWED)), st.sampled_from(OTHERS))
    hops = draw(st.lists(st.sampled_from(FORWARDED), max_size=3))
    length = b"%d" % sum(map(len, pieces))
    usual = draw(st.sampled_from([(length, NO_HEADER), (NO_HEADER, b"chunked")]))
    framing = {
        b"content-length": mostly(usual[0], lengths),
        b"transfer-encoding": mostly(usual[1], transfers),
    }
    headers = [
        *draw(st.lists(odd_headers, max_size=3)),
        (b"content-type", draw(st.binary())),
        *((name, value) for name, value in framing.items() if value),
        *((b"content-encoding", value) for value in mostly([], st.lists(codings, max_size=2))),
        *((b"x-forwarded-for", hop.spelling.encode()) for hop in hops),
    ]
    request = Request(
        method=mostly("POST", other_methods),
        path=mostly(draw(st.sampled_from(PUSH_PATHS)), other_paths),
        pieces=pieces,
        headers=headers,
        query=draw(st.binary()),
        peer=peer.spelling,
        is_whole=mostly(True, st.just(False)),
    )
    return Asked(request, peer, hops)
