"""An HTTPS endpoint for the webhook tests: prints a JSON line a request, answers as the path says.

usage: receiver.py CERTIFICATE KEY PORT SECRET...

  /ok/...             204
  /slow/<ms>/...      204, after so long
  /flaky/<n>/...      503 to the first n attempts at each message, then 204
  /wait/<s>/...       429 with Retry-After to the first attempt at each message, then 204
  /poison/<subject>   400 to requests with this event, 204 to others
  /gone/...           410
  /moved/...          302 to /ok/
"""
import base64
import collections
import hashlib
import hmac
import http.server
import json
import ssl
import sys
import threading
import time
import urllib.parse

certificate, key, port, *secrets = sys.argv[1:]
attempts = collections.Counter()
lock = threading.Lock()


def signed_by(headers, body):
    """Indices of the secrets that a signature is right for; written from the Standard Webhooks text, not from Kith's code."""
    content = headers["webhook-id"].encode() + b"." + headers["webhook-timestamp"].encode() + b"." + body
    given = [part.split(",", 1)[1] for part in headers["webhook-signature"].split(" ") if part.startswith("v1,")]
    found = []
    for index, secret in enumerate(secrets):
        digest = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), content, hashlib.sha256).digest()
        if any(hmac.compare_digest(base64.b64encode(digest).decode(), one) for one in given):
            found.append(index)
    return found


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def events(self, body):
        if self.headers["content-type"].startswith("application/cloudevents-batch+json"):
            return [{"id": e["id"], "type": e["type"], "subject": e["subject"], "data": e["data"]} for e in json.loads(body)]
        data = json.loads(body) if self.headers["content-type"] == "application/json" else base64.b64encode(body).decode()
        decode = urllib.parse.unquote
        return [{"id": decode(self.headers["ce-id"]), "type": decode(self.headers["ce-type"]),
                 "subject": decode(self.headers["ce-subject"]), "data": data}]

    def answer(self, status, **headers):
        text = b"" if status == 204 else f"status {status}".encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if status != 204:
            self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        events = self.events(body)
        message = self.headers["webhook-id"]
        with lock:
            attempts[message] += 1
            attempt = attempts[message]
            print(json.dumps({
                "path": self.path, "message": message, "attempt": attempt, "signed": signed_by(self.headers, body),
                "time": time.time(), "type": self.headers["content-type"], "events": events,
            }), flush=True)
        kind, argument = (self.path.strip("/").split("/") + ["", ""])[:2]
        if kind == "slow":
            time.sleep(int(argument) / 1000)
        if kind == "flaky" and attempt <= int(argument):
            self.answer(503)
        elif kind == "wait" and attempt == 1:
            self.answer(429, retry_after=argument)
        elif kind == "poison" and any(event["subject"] == f"points/{argument}" for event in events):
            self.answer(400)
        elif kind == "gone":
            self.answer(410)
        elif kind == "moved":
            self.answer(302, location="/ok/")
        else:
            self.answer(204)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Receiver)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print(f"listening on {server.server_port}", flush=True)
server.serve_forever()
