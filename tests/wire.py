"""Servers that misbehave below HTTP, certificates for them, and the command run in this process."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from typer.testing import CliRunner

from ozodial.cli import app
from tests.command import Desk, Result

Answer = Callable[[socket.socket, bytes], None]
"""What a server does with one request: the connection, and the request as it came."""

PROXIES = [f"{name}_proxy" for name in ("http", "https", "all", "no")]
SETTINGS = ("API", "AUTH", "CHECK_DUPLICATE", "DOMAIN", "PARALLEL", "PROFILE", "CONFIG")


def call(desk: Desk, *words: str | Path, **settings: str) -> Result:
    """The real command in this process, which is ten times faster than a process of its own."""
    environment: dict[str, str | None] = {f"OZODIAL_{name}": None for name in SETTINGS}
    for name in PROXIES:
        environment |= {name: None, name.upper(): None}
    environment |= desk.environment(**settings)
    done = CliRunner().invoke(app, [str(word) for word in words], env=environment)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Result(done.exit_code, done.stdout, done.stderr)


class RawServer:
    """A server made of a socket and a function; `requests` holds what arrived, `calls` how often.

    Each connection is answered once and closed. With `tls`, what arrives is decrypted first.
    """

    def __init__(
        self, answer: Answer, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
    ) -> None:
        self.requests: list[bytes] = []
        self._answer = answer
        self._tls = tls
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        self.port: int = self._listener.getsockname()[1]
        self.calls = 0
        self._open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> "RawServer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.calls += 1
            self._open.append(connection)
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with suppress(OSError), closing(connection):
            wrapped = connection
            if self._tls is not None:
                wrapped = self._tls.wrap_socket(connection, server_side=True)
            with closing(wrapped):
                request = read_request(wrapped)
                if request:
                    self.requests.append(request)
                    self._answer(wrapped, request)


def read_request(connection: socket.socket) -> bytes:
    """One whole request, or b"" where the connection ends first."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := connection.recv(65536)):
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        if not (more := connection.recv(65536)):
            return b""
        body += more
    return head + b"\r\n\r\n" + body


def http(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """A whole HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def saying(answer: bytes) -> Answer:
    """Always these bytes, then the end."""
    return lambda connection, _request: connection.sendall(answer)


def hanging(connection: socket.socket, _request: bytes) -> None:
    """No answer, until the client leaves."""
    connection.recv(1)


def dripping(head: bytes, drop: bytes) -> Answer:
    """The head, then a drop every 20 ms, without an end."""

    def drip(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(head)
        connection.settimeout(0.02)
        while True:
            with suppress(TimeoutError):
                if not connection.recv(1):
                    return
            connection.sendall(drop)

    return drip


def forwarding(url: str) -> Answer:
    """Hand the request on to another server, and its answer back."""
    place = urlsplit(url)

    def forward(connection: socket.socket, request: bytes) -> None:
        with socket.create_connection((place.hostname or "", place.port or 0)) as there:
            there.sendall(request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
            while more := there.recv(65536):
                connection.sendall(more)

    return forward


def proxying(connection: socket.socket, request: bytes) -> None:
    """What an HTTP proxy does: a tunnel for CONNECT, and forwarding of plain requests."""
    method, target, _ = request.split(b" ", 2)
    if method != b"CONNECT":
        forwarding(target.decode())(connection, request)
        return
    tunnel(connection, request, b"HTTP/1.1 200 Connection established\r\n\r\n")


def tunnel(connection: socket.socket, request: bytes, agreed: bytes) -> None:
    """Carry bytes both ways between the client and the server that it asked for."""
    host, _, port = request.split(b" ", 2)[1].decode().rpartition(":")
    with socket.create_connection((host, int(port))) as there:
        connection.sendall(agreed)
        pump = threading.Thread(target=_pump, args=(connection, there), daemon=True)
        pump.start()
        _pump(there, connection)
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        pump.join(5)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while more := source.recv(65536):
            target.sendall(more)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def full_backlog() -> Iterator[str]:
    """An address where connections are neither made nor refused."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(8):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def closed_port() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


# --- certificates ---

Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Authority:
    """A certificate authority of our own; `file` is what a client has to trust."""

    folder: Path
    key: Key = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def file(self) -> Path:
        path = self.folder / "authority.pem"
        if not path.exists():
            path.write_bytes(_pem(self._certificate()))
        return path

    def server(
        self, host: str = "127.0.0.1", *, days: int = 1, signed: bool = True
    ) -> ssl.SSLContext:
        """A server's side: for a host, valid until in `days`, or signed by itself alone."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._issue(key, host, days, self.key if signed else key)
        path = self.folder / f"{host}{days}{signed}.pem"
        secret = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path.write_bytes(_pem(certificate) + secret)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _certificate(self) -> x509.Certificate:
        name, public = _name("Test authority"), self.key.public_key()
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        builder = (
            _builder(name, name, public, days=1)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
        )
        return builder.sign(self.key, hashes.SHA256())

    def _issue(self, key: Key, host: str, days: int, signer: Key) -> x509.Certificate:
        signed = signer is self.key
        issuer = _name("Test authority") if signed else _name(host)
        try:
            san: x509.GeneralName = x509.IPAddress(ip_address(host))
        except ValueError:
            san = x509.DNSName(host)
        above = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        builder = (
            _builder(_name(host), issuer, key.public_key(), days)
            .add_extension(x509.SubjectAlternativeName([san]), critical=False)
            .add_extension(above, critical=False)
        )
        return builder.sign(signer, hashes.SHA256())


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    end = datetime.now(UTC) + timedelta(days=days)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(end - timedelta(days=10))
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
