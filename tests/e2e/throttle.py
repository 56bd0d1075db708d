"""A TCP relay that counts what devices send and can hold it back: a network that stalls."""
import socket
import threading


class Relay:
    def __init__(self, target):
        host, port = target.rsplit(":", 1)
        self._target = (host, int(port))
        self._changed = threading.Condition()
        self._sent = 0  # bytes passed on towards the target
        self._limit = None
        self._closed = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def hold_after(self, count):
        """Passes on `count` further bytes towards the target, then none."""
        with self._changed:
            self._limit = self._sent + count

    def release(self):
        with self._changed:
            self._limit = None
            self._changed.notify_all()

    def sent(self):
        with self._changed:
            return self._sent

    def close(self):
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._listener.close()

    def _accept(self):
        while True:
            try:
                device, _ = self._listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._relay, args=(device,), daemon=True).start()

    def _relay(self, device):
        with device:
            try:
                server = socket.create_connection(self._target)
            except OSError:
                return  # as a port on which nobody listens
            with server:
                down = threading.Thread(target=self._pump, args=(server, device, False))
                down.daemon = True
                down.start()
                self._pump(device, server, True)
                down.join()

    def _pump(self, source, sink, up):
        try:
            while piece := source.recv(1 << 14):
                while piece:
                    allowed = self._take(len(piece)) if up else len(piece)
                    if allowed == 0:
                        return
                    sink.sendall(piece[:allowed])
                    piece = piece[allowed:]
        except OSError:
            pass  # one side went away
        finally:
            for end in (source, sink):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # it was gone already

    def _take(self, wanted):
        """How many bytes may go now; waits while none may. 0: closed."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or self._limit is None or self._sent < self._limit)
            if self._closed:
                return 0
            room = wanted if self._limit is None else min(wanted, self._limit - self._sent)
            self._sent += room
            return room
