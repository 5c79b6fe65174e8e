"""What no client sends: pushes that were damaged on the way, and other protocols."""

import random
from collections.abc import Callable

Damage = Callable[[random.Random, bytes], bytes]
"""Makes garbage of a proper push."""

ODD = [b"\r", b"\n", b"\0", b"\t", b" ", b":", b",", b"%", b"\xff", b"\r\n", b"\r\n\r\n", b"\r\n "]
FRAMINGS = [
    *(b"Content-Length: 5", b"Content-Length: 0", b"Content-Length: -1", b"Content-Length: 5, 5"),
    *(b"Content-Length: 0x5", b"Content-Length: 99999999999999999999", b"Content-Length : 5"),
    *(b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"Connection: close"),
    *(b"Transfer-Encoding: identity", b"Transfer-Encoding: \x0bchunked", b"Trailer: x"),
    *(b"Connection: upgrade\r\nUpgrade: h2c", b"Connection: Content-Length", b"TE: trailers"),
    *(b"Content-Encoding: gzip", b"Content-Encoding: identity", b"Expect: 100-continue"),
]
CHUNK_SIZES = [b"0", b"-1", b"0x5", b"5;", b"5;a=b", b"5 ", b" 5", b"fffffffffffffffff", b"", b"zz"]
STRANGE = [
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
    b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + bytes(range(160)),
    b"GET {push} HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    b"CONNECT example.org:443 HTTP/1.1\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\n\r\n",
    b"GET http://example.org{push} HTTP/1.1\r\n\r\n",
    b"PUT ftp://a:b@example.org:99{push}?x#y HTTP/1.0\r\n\r\n",
    b"DESCRIBE {push} RTSP/1.0\r\n\r\n",
    b"GET {push}\r\n\r\n",
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"*1\r\n$4\r\nPING\r\n",
]


def flipped(chance: random.Random, request: bytes) -> bytes:
    changed = bytearray(request)
    for _ in range(chance.randint(1, 6)):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def inserted(chance: random.Random, request: bytes) -> bytes:
    at = chance.randrange(len(request))
    return request[:at] + chance.choice(ODD) + request[at:]


def cut_out(chance: random.Random, request: bytes) -> bytes:
    start, end = sorted(chance.choices(range(len(request)), k=2))
    return request[:start] + request[end:]


def cut_off(chance: random.Random, request: bytes) -> bytes:
    return request[: chance.randrange(len(request))]


def framed_otherwise(chance: random.Random, request: bytes) -> bytes:
    line, rest = request.split(b"\r\n", 1)
    return b"\r\n".join([line, *chance.choices(FRAMINGS, k=chance.randint(1, 2)), rest])


def with_lines_mixed(chance: random.Random, request: bytes) -> bytes:
    lines = request.split(b"\r\n")
    lines.insert(chance.randrange(len(lines)), chance.choice(lines))
    one, other = (chance.randrange(len(lines)) for _ in range(2))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\r\n".join(lines)


def in_odd_chunks(chance: random.Random, request: bytes) -> bytes:
    head = request.split(b"\r\n\r\n")[0].split(b"\r\n")[0] + b"\r\nTransfer-Encoding: chunked"
    end = chance.choice([b"\r\n", b"\n", b"\r", b""])
    return (
        head + b"\r\n\r\n" + chance.choice(CHUNK_SIZES) + end + b"sms_s\r\n6\r\ntatus=\r\n0\r\n\r\n"
    )


def with_a_large_head(chance: random.Random, request: bytes) -> bytes:
    size = chance.choice([1_000, 30_000, 33_000, 60_000])
    where = chance.choice([b" HTTP", b"\r\n"])
    what = chance.choice([b"?" + b"u" * size, b"\r\nX: " + b"x" * size, b"\r\nX: y" * (size // 6)])
    return request.replace(where, what + where, 1)


def behind_others(chance: random.Random, request: bytes) -> bytes:
    damage = chance.choice(DAMAGES)
    return request * chance.randint(1, 3) + damage(chance, request) + request


def strange(chance: random.Random, request: bytes) -> bytes:
    return chance.choice(STRANGE).replace(b"{push}", request.split(b" ")[1])


def noise(chance: random.Random, _request: bytes) -> bytes:
    return chance.randbytes(chance.choice([1, 20, 500, 20_000]))


def harmless(_chance: random.Random, request: bytes) -> bytes:
    return request * 2


DAMAGES: list[Damage] = [
    *(flipped, inserted, cut_out, cut_off, framed_otherwise, with_lines_mixed, in_odd_chunks),
    *(with_a_large_head, behind_others, strange, noise, harmless),
]
