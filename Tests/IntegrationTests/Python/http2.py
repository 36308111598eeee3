"""What a server of gRPC owes to bytes that no gRPC library would send: an answer that names the fault, and a connection that goes on.

    http2.py ADDRESS

Frames are made by h2, with its own checks off. Ends with 0 when all is right.
"""

import gzip
import random
import socket
import sys
import zlib

import h2.config
import h2.connection
import h2.events

HOST, PORT = sys.argv[1].rsplit(":", 1)
CHECK = "/grpc.health.v1.Health/Check"
PLAIN = b"\0\0\0\0\0"  # an empty message
SERVING = b"\0\0\0\0\2\x08\1"


class Connection:
    """One connection. Answers are read until a call ends."""

    def __init__(self):
        self.socket = socket.create_connection((HOST, int(PORT)), timeout=20)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(validate_outbound_headers=False, normalize_outbound_headers=False))
        self.h2.initiate_connection()
        self.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def start(self, fields, end=False):
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, fields, end_stream=end)
        self.flush()
        return stream

    def send(self, stream, data, end=True):
        self.h2.send_data(stream, data, end_stream=end)
        self.flush()

    def end(self, stream):
        """Header fields and trailers of the answer, and its bytes."""
        fields, data = {}, b""
        while True:
            received = self.socket.recv(65536)
            assert received, "the server closed the connection"
            for event in self.h2.receive_data(received):
                if getattr(event, "stream_id", None) != stream:
                    continue
                if isinstance(event, (h2.events.ResponseReceived, h2.events.TrailersReceived)):
                    fields.update(event.headers)
                elif isinstance(event, h2.events.DataReceived):
                    data += event.data
                elif isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset)):
                    self.flush()
                    return fields, data

    def call(self, fields, *parts):
        stream = self.start(fields, end=not parts)
        for number, part in enumerate(parts, 1):
            self.send(stream, part, end=number == len(parts))
        return self.end(stream)


def head(path=CHECK, method="POST", content_type="application/grpc", **more):
    fields = [(":method", method), (":scheme", "http"), (":path", path), (":authority", "test"), ("te", "trailers")]
    if content_type:
        fields.append(("content-type", content_type))
    return fields + [(name.replace("_", "-"), value) for name, value in more.items()]


def message(body, compressed=0):
    return bytes([compressed]) + len(body).to_bytes(4, "big") + body


def expect(connection, code, text, fields, *parts):
    answer, data = connection.call(fields, *parts)
    assert answer.get(b"grpc-status") == str(code).encode(), (code, answer)
    assert text in answer.get(b"grpc-message", b"").decode(), (text, answer)
    assert code == 0 or not data
    return data


def check_refusals(connection):
    """Each names its fault, and all share a connection."""
    for fields, status in ((head(method="GET"), b"405"), (head(content_type="text/html"), b"415"), (head(content_type=None), b"415")):
        assert connection.call(fields, PLAIN)[0] == {b":status": status}, fields
    expect(connection, 12, "there is no method /no/such", head("/no/such"), PLAIN)
    for timeout in ("", "5", "S", "-1S", "1.5S", "123456789S", "1x"):
        expect(connection, 13, "grpc-timeout", head(grpc_timeout=timeout), PLAIN)
    expect(connection, 12, "grpc-encoding is not known", head(grpc_encoding="zstd"), PLAIN)
    expect(connection, 8, "the metadata has", head(user_agent="x" * 17_000), PLAIN)
    expect(connection, 13, "flags of a message", head(), b"\2\0\0\0\0")
    expect(connection, 13, "needs grpc-encoding", head(), message(b"", 1))
    expect(connection, 8, "4294967295 bytes, the limit is", head(), b"\0\xff\xff\xff\xff")
    expect(connection, 13, "ends within a message", head(), b"\0\0\0\0\5abc")
    expect(connection, 13, "ends within a message", head(), b"\0\0")
    expect(connection, 13, "has no message", head())
    expect(connection, 13, "has more than one message", head(), PLAIN + PLAIN)


def check_messages(connection):
    """The same message whole, in single bytes, compressed, and with trailers after it."""
    for content_type in ("application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8"):
        assert expect(connection, 0, "", head(content_type=content_type), PLAIN) == SERVING
    assert expect(connection, 0, "", head(grpc_timeout="99999999H"), *(bytes([byte]) for byte in PLAIN)) == SERVING
    service = b"\x0a" + bytes([len("kith.v1.SearchService")]) + b"kith.v1.SearchService"
    for encoding, deflated in (("gzip", gzip.compress(service)), ("deflate", zlib.compress(service))):
        assert expect(connection, 0, "", head(grpc_encoding=encoding), message(deflated, 1)) == SERVING
        assert expect(connection, 0, "", head(grpc_encoding=encoding), message(service)) == SERVING
        expect(connection, 13, "not compressed as", head(grpc_encoding=encoding), message(deflated[:-3], 1))
        expect(connection, 13, "not compressed as", head(grpc_encoding=encoding), message(deflated + b"more", 1))
        expect(connection, 13, "not compressed as", head(grpc_encoding=encoding), message(service, 1))
    bomb = zlib.compress(bytes(64 << 20), 9)
    expect(connection, 8, "inflated", head(grpc_encoding="deflate"), *(message(bomb, 1)[at : at + 16_000] for at in range(0, len(bomb) + 5, 16_000)))
    stream = connection.start(head())
    connection.send(stream, PLAIN, end=False)
    connection.h2.send_headers(stream, [("some", "trailer")], end_stream=True)
    connection.flush()
    assert connection.end(stream)[1] == SERVING


def check_noise(seed):
    """Whatever comes, the server stays: bytes that are no HTTP/2, and frames with bytes changed."""
    chance = random.Random(seed)
    model = h2.connection.H2Connection()
    model.initiate_connection()
    model.send_headers(1, head())
    model.send_data(1, PLAIN, end_stream=True)
    frames = model.data_to_send()
    for turn in range(200):
        noise = bytearray(frames)
        for _ in range(chance.randrange(1, 8)):
            # Half of them behind the preface, which would end it all.
            noise[chance.randrange(24 * (turn % 2), len(noise))] = chance.randrange(256)
        with socket.create_connection((HOST, int(PORT)), timeout=20) as raw:
            raw.sendall(bytes(noise[: chance.randrange(1, len(noise) + 1)]))
            raw.shutdown(socket.SHUT_WR)
            try:
                while raw.recv(65536):
                    pass
            except ConnectionResetError:
                pass  # it need not read what follows a fault


def check_cancelled(connection):
    """A stream that the client resets, and one whose answers it does not read, harm nobody else."""
    for _ in range(50):
        stream = connection.start(head("/grpc.health.v1.Health/Watch"))
        connection.send(stream, PLAIN)
        connection.h2.reset_stream(stream)
        connection.flush()
    assert expect(connection, 0, "", head(), PLAIN) == SERVING


def check_deadline(connection):
    """A stream without end ends with its deadline."""
    answer, data = connection.call(head("/grpc.health.v1.Health/Watch", grpc_timeout="50m"), PLAIN)
    assert answer[b"grpc-status"] == b"4" and data == SERVING, answer


if __name__ == "__main__":
    with Connection() as shared:
        for check in (check_refusals, check_messages, check_cancelled, check_deadline):
            check(shared)
            print(f"{check.__name__} passed", flush=True)
        check_noise(seed=1)
        print("check_noise passed", flush=True)
        assert expect(shared, 0, "", head(), PLAIN) == SERVING
