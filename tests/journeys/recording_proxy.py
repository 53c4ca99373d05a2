"""A proxy that lets nothing out and remembers who asked: it shows that a program stays on this machine."""

import socketserver
import threading
from types import TracebackType


class RecordingProxy(socketserver.ThreadingTCPServer):
    """`asked` holds the first line of every request that wanted out."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Refusing)
        self.asked: list[str] = []
        self._thread = threading.Thread(target=self.serve_forever, args=[0.05], daemon=True)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> "RecordingProxy":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Refusing(socketserver.StreamRequestHandler):
    server: RecordingProxy

    def handle(self) -> None:
        self.server.asked.append(self.rfile.readline().decode("latin-1").strip())
        self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
