"""Node.js: one process with an https server for each output and form, each asked by Node's own client too."""

import json
import pathlib

import handshake
from bench import Failed, Server, free_port

SCRIPT = pathlib.Path(__file__).with_name("serve.js")


class Node:
    """One process; a server that cannot start leaves the others alone."""

    def __init__(self):
        self.server = None
        self.ports = {}

    def start(self, outputs, work):
        jobs = []
        for output in outputs:
            forms = {"pem": {"cert": str(output.file("tls.crt")), "key": str(output.key)}}
            if output.has_key:
                forms["pfx"] = {"pfx": str(output.file("keystore.p12")), "passphrase": output.pkcs12_password}
            for form, files in forms.items():
                port = free_port()
                self.ports[output.name, form] = port
                wanted = {"root": str(output.root), "names": output.hosts(), "chain": len(output.chain())}
                jobs.append({"port": port, "files": files, **wanted})
        ready = free_port()
        (work / "jobs.json").write_text(json.dumps({"ready": ready, "jobs": jobs}))
        self.server = Server(["node", SCRIPT, work / "jobs.json"], [ready], work)
        self.server.__enter__()

    def check(self, form):
        def check(output, work):
            port = self.ports[output.name, form]
            try:
                handshake.succeeds(port, output)
            except Failed as failed:
                raise Failed(f"{failed}\n{self.about(port)}") from failed
            if f"{port} asked" not in self.server.said().splitlines():
                raise Failed(self.about(port))

        return check

    def about(self, port):
        return "\n".join(line for line in self.server.said().splitlines() if line.startswith(str(port)))

    def stop(self):
        if self.server:
            self.server.end()
