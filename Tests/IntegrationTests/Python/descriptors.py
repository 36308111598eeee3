"""A server whose descriptors are used up by connections answers again when they are gone. Ends with 0 when it does.

    descriptors.py KITH FOLDER
"""

import pathlib
import resource
import socket
import subprocess
import sys

import grpc

LIMIT = 64
kith, folder = sys.argv[1], pathlib.Path(sys.argv[2])
server = subprocess.Popen(
    [kith, "serve", "--listen", "127.0.0.1:0", "--data", folder / "data", "--port-file", folder / "port"],
    stdout=subprocess.PIPE, text=True, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (LIMIT, LIMIT)))
try:
    next(line for line in server.stdout if "gRPC " in line)
    port = int((folder / "port").read_text())
    # More than there are descriptors: the kernel keeps those that the server cannot take.
    crowd = [socket.create_connection(("127.0.0.1", port)) for _ in range(LIMIT + 16)]
    while len(list(pathlib.Path(f"/proc/{server.pid}/fd").iterdir())) < LIMIT:
        pass
    for each in crowd:
        each.close()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        answer = channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=30, wait_for_ready=True)
    assert answer == b"\x08\x01", answer
    print("answers again")
finally:
    server.terminate()
    server.communicate()
