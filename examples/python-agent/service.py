"""Stands for the service that the agent calls: answers who has the token, on a free port, and prints its address."""

import hmac
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

EXPECTED = f"Bearer {os.environ['WEATHER_TOKEN']}".encode()


class Service(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        is_known = hmac.compare_digest(self.headers.get("Authorization", "").encode(), EXPECTED)
        self.send_response(200 if is_known else 401)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"sky":"sunny","degrees":21}' if is_known else b'{"error":"unknown token"}')

    def log_message(self, *_: object) -> None:
        """Says nothing of requests."""


server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
print(f"http://127.0.0.1:{server.server_port}/", flush=True)
server.serve_forever()
