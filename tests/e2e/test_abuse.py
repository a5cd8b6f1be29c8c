"""Requests that lie about where they end, what they ask for or how: never two out of one, and
never an event that nobody signed."""
import contextlib
import json
import time

from attacks import (HOST, answers, begin, body_of, connect, exchange, fields, read_all, request, signed,
                     statuses)
from harness import (check, closed_within, demo, equal, in_time, raw_answer, raw_connection,
                     sign_v3, stored)

SMUGGLED = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
POST = b"POST /webhooks/hubspot HTTP/1.1\r\n"


def chunk(data, size=None, end=b"\r\n"):
    return (size if size is not None else b"%x" % len(data)) + end + data + end


def heads(body):
    """What leaves it in doubt where the request ends: name, lines of the head, what follows it."""
    length, coding = b"Content-Length: %d\r\n" % len(body), b"Transfer-Encoding: chunked\r\n"
    chunked = chunk(body) + b"0\r\n\r\n"
    lengths = {"plus": b"+%d", "minus": b"-%d", "hexadecimal": b"0x%x", "with a point": b"%d.0",
               "in a list": b"%d, 1", "with a blank": b"1 %d", "zero before": b"00000000000%dx",
               "in quotes": b'"%d"', "with a unit": b"%dB"}
    codings = {"chunked, identity": b"chunked, identity", "xchunked": b"xchunked",
               "identity": b"identity", "chunked, chunked": b"chunked, chunked",
               "gzip, chunked": b"gzip, chunked", "chunked;q=1": b"chunked;q=1",
               "quoted": b'"chunked"', "vertical tab": b"\x0bchunked", "nothing": b"",
               "other word": b"chunke", "high byte": b"chunked\xff", "comma": b",chunked"}
    for name, text in lengths.items():
        yield f"length {name}", b"Content-Length: " + text % len(body) + b"\r\n", body
    yield "length of many digits", b"Content-Length: 1%s\r\n" % (b"0" * 30), body
    yield "length over 64 bits", b"Content-Length: 18446744073709551617\r\n", body
    yield "length over 63 bits", b"Content-Length: 9223372036854775808\r\n", body
    for name, text in codings.items():
        yield f"coding {name}", b"Transfer-Encoding: " + text + b"\r\n", chunked
        yield f"length and coding {name}", length + b"Transfer-Encoding: " + text + b"\r\n", body
    yield "two lengths", length + b"Content-Length: 0\r\n", body
    yield "two lengths, the other way", b"Content-Length: 0\r\n" + length, body
    yield "the same length twice", length + length, body
    yield "length and chunked", length + coding, chunked
    yield "chunked and length", coding + length, chunked
    yield "chunked twice", coding + coding, chunked
    yield "tab before the colon", b"Content-Length\t: %d\r\n" % len(body), body
    yield "blank before the colon", b"Content-Length : %d\r\n" % len(body), body
    yield "blank before the coding's colon", length + b"Transfer-Encoding : chunked\r\n", body
    yield "tab before the name", b"\tTransfer-Encoding: chunked\r\n" + length, body
    yield "blank before the name", b" Transfer-Encoding: chunked\r\n" + length, body
    yield "folded coding", length + b"Transfer-Encoding:\r\n chunked\r\n", body
    yield "folded length", b"Content-Length:\r\n %d\r\n" % len(body), body
    yield "folded by a tab", b"X-A: b\r\n\tc\r\n" + length, body
    yield "bare LF in the head", b"X-A: b\n" + length, body
    yield "bare LF hides a coding", b"X-A: b\nTransfer-Encoding: chunked\r\n" + length, body
    yield "bare CR hides a coding", b"X-A: b\rTransfer-Encoding: chunked\r\n" + length, body
    yield "CR in a value", b"X-A: b\rc\r\n" + length, body
    yield "NUL in a value", b"X-A: b\0c\r\n" + length, body
    yield "NUL in a name", b"X\0A: b\r\n" + length, body
    yield "NUL behind the length", b"Content-Length: %d\x005\r\n" % len(body), body
    yield "no colon", b"Transfer-Encoding chunked\r\n" + length, body
    yield "no name", b": chunked\r\n" + length, body
    yield "two hosts", b"Host: other.example.com\r\n" + length, body


def refused(world, what, data):
    """A refusal or none, and the end; what stands behind it is not a request."""
    got, closed = exchange(world, data)
    check(closed, f"{what}: the connection goes on after {got!r}")
    # libmicrohttpd says some of its own refusals twice, and 500 to a line longer than its buffer.
    check(all(n >= 400 for n in statuses(got)), f"{what}: {got!r}")
    check(len([a for a in answers(got) if a]) <= 1, f"{what}: two answers: {got!r}")


def test_a_head_of_two_meanings_ends_in_4xx_or_a_close(world):
    begin(world)
    body, n = body_of([demo(1)]), 0
    for name, lines, rest in heads(body):
        refused(world, name, POST + signed(body) + lines + b"\r\n" + rest + SMUGGLED)
        refused(world, f"{name}, first", POST + lines + signed(body) + b"\r\n" + rest + SMUGGLED)
        n += 2
    check(n > 90, f"{n} were tried")
    equal(stored(world), [], "nothing is stored")
    equal(world.post([demo(1)]).json()["accepted"], 1, "the same event, told plainly")
    world.stop()


def test_request_lines_of_two_meanings_end_in_4xx_or_a_close(world):
    begin(world)
    body = body_of([demo(1)])
    rest = signed(body) + b"Content-Length: %d\r\n\r\n" % len(body) + body + SMUGGLED
    lines = {
        "bare LF": b"POST /webhooks/hubspot HTTP/1.1\n",
        "two blanks": b"POST  /webhooks/hubspot HTTP/1.1\r\n",
        "tab": b"POST\t/webhooks/hubspot\tHTTP/1.1\r\n",
        "blank before": b" POST /webhooks/hubspot HTTP/1.1\r\n",
        "blank in the target": b"POST /webhooks/hubspot x HTTP/1.1\r\n",
        "NUL in the target": b"POST /webhooks/hubspot\0x HTTP/1.1\r\n",
        "NUL in the method": b"PO\0ST /webhooks/hubspot HTTP/1.1\r\n",
        "CR in the target": b"POST /webhooks/hubspot\rx HTTP/1.1\r\n",
        "encoded NUL": b"POST /webhooks/hubspot%00 HTTP/1.1\r\n",
        "encoded line end": b"POST /webhooks/hubspot%0d%0aX:y HTTP/1.1\r\n",
        "encoded path": b"POST /webhooks/%68ubspot HTTP/1.1\r\n",
        "encoded slash": b"POST /webhooks%2fhubspot HTTP/1.1\r\n",
        "dots": b"POST /x/../webhooks/hubspot HTTP/1.1\r\n",
        "two slashes": b"POST //webhooks/hubspot HTTP/1.1\r\n",
        "backslash": b"POST \\webhooks\\hubspot HTTP/1.1\r\n",
        "absolute form": b"POST http://hooks.example.com/webhooks/hubspot HTTP/1.1\r\n",
        "absolute form of another": b"POST https://evil.example.com/webhooks/hubspot HTTP/1.1\r\n",
        "asterisk": b"OPTIONS * HTTP/1.1\r\n",
        "authority": b"CONNECT 127.0.0.1:22 HTTP/1.1\r\n",
        "no target": b"POST HTTP/1.1\r\n",
        "high bytes": b"POST /webhooks/hubspot\xff\xfe HTTP/1.1\r\n",
        "very long": b"POST /" + b"a" * 20_000 + b" HTTP/1.1\r\n",
        "very long query": b"POST /webhooks/hubspot?" + b"a=b&" * 10_000 + b" HTTP/1.1\r\n",
        "very long method": b"P" * 20_000 + b" /webhooks/hubspot HTTP/1.1\r\n",
    }
    for name, line in lines.items():
        got, _ = exchange(world, line + rest, quiet=0.5)
        said = statuses(got)
        check(b'"accepted"' not in got, f"{name}: taken: {got!r}")
        check(not said or 400 <= said[0] < 500, f"{name}: {got!r}")
        # Where the end was plain the request behind it may stand for itself; never more than it.
        check(len(said) <= 2, f"{name}: {got!r}")
    equal(stored(world), [], "nothing is stored")
    world.stop()


def test_other_protocols_are_closed_or_refused(world):
    begin(world)
    head = HOST + b"\r\n"
    for name, data in {
        "HTTP/0.9": b"GET /healthz\r\n",
        "HTTP/0.9 with a head": b"GET /healthz\r\n" + head,
        "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00",
        "HTTP/2.0 line": b"GET /healthz HTTP/2.0\r\n" + head,
        "HTTP/9.9": b"GET /healthz HTTP/9.9\r\n" + head,
        "lower case": b"GET /healthz http/1.1\r\n" + head,
        "SSH": b"SSH-2.0-OpenSSH_9.2\r\n" + b"\x00\x00\x01\x14" * 8,
        "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        "line ends": b"\r\n" * 5000,
        "zeros": bytes(40_000),
        "high bytes": b"\xff" * 40_000,
        "proxy protocol": b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET /healthz HTTP/1.1\r\n" + head,
    }.items():
        got, closed = exchange(world, data, quiet=4)
        check(closed, f"{name}: it is not closed: {got!r}")
        check(b'"pass"' not in got, f"{name}: served: {got!r}")
        check(all(400 <= n <= 505 for n in statuses(got)), f"{name}: {got!r}")
    upgrade = HOST + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"
    got, _ = exchange(world, b"GET /healthz HTTP/1.1\r\n" + upgrade + b"\r\n", quiet=0.5)
    equal(statuses(got), [200], "an upgrade is not taken up")
    world.stop()


def test_chunks_of_two_meanings_never_become_two_requests(world):
    begin(world)
    body = body_of([demo(1)])
    n = b"%x" % len(body)
    end = b"0\r\n\r\n"
    must_end = {
        "size over 64 bits": b"1" + b"0" * 16 + n + b"\r\n" + body + b"\r\n" + end,
        "size of all ones": b"ffffffffffffffff\r\n" + body + b"\r\n" + end,
        "size of 63 bits": b"7fffffffffffffff\r\n" + body + b"\r\n" + end,
        "negative": b"-" + n + b"\r\n" + body + b"\r\n" + end,
        "plus": b"+" + n + b"\r\n" + body + b"\r\n" + end,
        "0x": b"0x" + n + b"\r\n" + body + b"\r\n" + end,
        "blank before": b" " + n + b"\r\n" + body + b"\r\n" + end,
        "no number": b"zz\r\n" + body + b"\r\n" + end,
        "empty size": b"\r\n" + body + b"\r\n" + end,
        "too short": b"%x\r\n" % (len(body) - 5) + body + b"\r\n" + end,
        "no line end behind": n + b"\r\n" + body + b"xx" + end,
        "NUL in the size": n + b"\0\r\n" + body + b"\r\n" + end,
        "size of many digits": b"0" * 40_000 + n + b"\r\n" + body + b"\r\n" + end,
        "endless extension": n + b";" + b"a" * 40_000 + b"\r\n" + body + b"\r\n" + end,
    }
    head = POST + signed(body) + b"Transfer-Encoding: chunked\r\n\r\n"
    for name, data in must_end.items():
        refused(world, name, head + data + SMUGGLED)
    equal(stored(world), [], "nothing is stored")
    may_be_taken = {  # by some readers: but then as the one body that was signed
        "extension": n + b";name=value\r\n" + body + b"\r\n" + end,
        "quoted extension": n + b';a="b;\\"c"\r\n' + body + b"\r\n" + end,
        "zeros before": b"0000" + n + b"\r\n" + body + b"\r\n" + end,
        "capitals": n.upper() + b"\r\n" + body + b"\r\n" + end,
        "trailers": n + b"\r\n" + body + b"\r\n0\r\nX-Trailer: 1\r\n\r\n",
        "trailing length": n + b"\r\n" + body + b"\r\n0\r\nContent-Length: 5\r\n\r\n",
        "trailing signature": n + b"\r\n" + body + b"\r\n0\r\n" + fields(sign_v3(b"[]")) + b"\r\n",
        "bare LF": n + b"\n" + body + b"\n0\n\n",
        "blank behind the size": n + b" \r\n" + body + b"\r\n" + end,
        "bytes one by one": b"".join(chunk(bytes([b])) for b in body) + end,
    }
    for name, data in may_be_taken.items():
        got, closed = exchange(world, head + data + SMUGGLED, quiet=0.5)
        said = statuses(got)
        check(said == [200, 200] and got.count(b'"pass"') == 1 or
              closed and len(said) <= 1 and 200 not in said, f"{name}: {got!r}")
    equal(len(stored(world)), 1, "one event, however it was cut")
    equal([w["body"] for w in world.run_json("events", "show", stored(world)[0]["id"])],
          json.loads(body), "as it was signed")
    world.stop()


def test_what_stands_behind_a_signed_request_is_not_covered_by_its_signature(world):
    begin(world)
    body = body_of([demo(1)])
    forged = (POST + HOST + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
              + body_of([demo(2)]).ljust(len(body)))
    got, _ = exchange(world, request(body) + forged + request(body_of([demo(3)])))
    equal(statuses(got), [200, 401], "the second proves nothing, and ends the connection")
    got, _ = exchange(world, request(body)[:-1] + b" " + SMUGGLED, quiet=0.5)
    equal(statuses(got), [401, 200], "another body than the signed one")
    equal(len(stored(world)), 1, "events")
    world.stop()


def test_other_methods_do_nothing(world):
    begin(world)
    secret = b"X-Secret: do-not-echo\r\n"
    for method in (b"TRACE", b"OPTIONS", b"CONNECT", b"PROPFIND", b"DEBUG", b"post", b"GET"):
        got, _ = exchange(world, method + b" /webhooks/hubspot HTTP/1.1\r\n" + HOST + secret +
                          b"\r\n", quiet=0.5)
        equal(statuses(got), [405], method.decode())
        check(b"\r\nAllow: POST\r\n" in got, f"{method}: {got!r}")
        check(b"do-not-echo" not in got, f"{method} echoes: {got!r}")
    got, _ = exchange(world, b"HEAD /webhooks/hubspot HTTP/1.1\r\n" + HOST + b"\r\n" + SMUGGLED,
                      quiet=0.5)
    equal(statuses(got), [405, 200], "HEAD")
    got, _ = exchange(world, b"HEAD /healthz HTTP/1.1\r\n" + HOST + b"\r\n", quiet=0.5)
    equal(got.partition(b"\r\n\r\n")[2], b"", "HEAD has no body")
    body = body_of([demo(1)])
    over = POST + signed(body, **{"X-HTTP-Method-Override": "GET"})
    got, _ = exchange(world, over + b"Content-Length: %d\r\n\r\n" % len(body) + body, quiet=0.5)
    equal(statuses(got), [200], "a POST stays one")
    world.stop()


def test_expect_is_answered_once_before_the_body_and_once_after(world):
    begin(world)
    body = body_of([demo(1)])
    head = POST + signed(body) + b"Content-Length: %d\r\n" % len(body)
    with raw_connection(world) as s:
        s.sendall(head + b"Expect: 100-continue\r\n\r\n")
        s.settimeout(5)
        equal(s.recv(4096), b"HTTP/1.1 100 Continue\r\n\r\n", "it asks for the body")
        s.sendall(body)
        equal(raw_answer(s).status, 200, "then the answer")
    for headers in (b"", fields(sign_v3(b"x", timestamp=1))):  # nothing to wait for
        with raw_connection(world) as s:
            s.sendall(POST + HOST + headers + b"Content-Length: 10\r\nExpect: 100-continue\r\n\r\n")
            equal(raw_answer(s).status, 401, "refused before the body")
            in_time(closed_within(s, 3), "and closed")
    for odd in (b"200-maybe", b"100-continue, 100-continue", b"\xff"):
        got, _ = exchange(world, head + b"Expect: " + odd + b"\r\n\r\n" + body + SMUGGLED, quiet=0.5)
        said = [n for n in statuses(got) if n != 100]
        check(said in ([200, 200], [417], [400], []), f"{odd}: {got!r}")
    equal(len(stored(world)), 1, "events")
    world.stop()


def test_a_hundred_requests_behind_each_other_are_answered_in_order_and_once(world):
    begin(world)
    kinds = [(lambda i: request(body_of([demo(i)])), 200),
             (lambda i: SMUGGLED, 200),
             (lambda i: b"GET /nowhere HTTP/1.1\r\n" + HOST + b"\r\n", 404),
             (lambda i: b"PUT /webhooks/zapier HTTP/1.1\r\n" + HOST + b"\r\n", 405),
             (lambda i: request(b"{" + b" " * i), 400)]
    data = b"".join(kinds[i % 5][0](i) for i in range(100))
    for pieces in (1, 37):
        with raw_connection(world) as s:
            step = len(data) // pieces + 1
            for at in range(0, len(data), step):
                s.sendall(data[at:at + step])
            heard = answers(read_all(s, 1)[0])
        equal([a.status for a in heard], [kinds[i % 5][1] for i in range(100)], "in order")
        equal(len({a.headers["X-Request-Id"] for a in heard}), 100, "each its own")
        taken = [a.json()["accepted"] + a.json()["duplicates"] for a in heard[::5]]
        equal(taken, [1] * 20, "each event once")
    equal(len(stored(world)), 20, "events")
    world.stop()


def test_chunks_beyond_max_body_are_not_read_to_their_end(world):
    begin(world)
    sent, piece = 0, chunk(b" " * 4096)
    with connect(world) as s:
        s.sendall(POST + signed(b"") + b"Transfer-Encoding: chunked\r\n\r\n")
        began = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - began < 10:
                s.sendall(piece)
                sent += 4096
        check(read_all(s, 3)[1], "closed")
    check(sent < 16 << 20, f"{sent} bytes went through: no more than buffers hold")
    just_over = chunk(b" " * 4096) * 17 + b"0\r\n\r\n"
    got, _ = exchange(world, POST + signed(b"") + b"Transfer-Encoding: chunked\r\n\r\n" + just_over)
    equal(statuses(got), [413], "who ends soon is told why")
    world.stop()
