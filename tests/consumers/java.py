"""Java: keytool, and one Tomcat with a connector for each output and store, since a JVM takes seconds to start."""

import pathlib
from xml.sax.saxutils import quoteattr

import handshake
import tools
from bench import Failed, Server, free_port, holds, run

HOME = pathlib.Path("/usr/share/tomcat10")
LIBRARIES = ":".join(str(HOME / "bin" / name) for name in ("bootstrap.jar", "tomcat-juli.jar"))
MAIN = "org.apache.catalina.startup.Bootstrap"
# A JVM for a moment need not be fast once it is warm.
KEYTOOL = ["keytool", "-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC"]
STORES = {"PKCS12": "keystore.p12", "JKS": "keystore.jks"}


def password(output, kind):
    return output.pkcs12_password if kind == "PKCS12" else output.jks_password


def alias(output, kind):
    return "certificate" if kind == "PKCS12" else output.jks_alias


def keytool(kind):
    def check(output, work):
        """It lists the one entry by its alias, with the chain, and takes its key into a store that OpenSSL reads."""
        file, secret, name = output.file(STORES[kind]), password(output, kind), alias(output, kind)
        said = run(*KEYTOOL, "-list", "-rfc", "-keystore", file, "-storetype", kind, "-storepass", secret)
        holds(said.count("Entry type:") == said.count("Entry type: PrivateKeyEntry") == 1, said)
        holds(f"Alias name: {name}\n" in said, said)
        taken = work / "taken.p12"
        source = ["-srckeystore", file, "-srcstoretype", kind, "-srcstorepass", secret, "-srckeypass", secret]
        target = ["-destkeystore", taken, "-deststoretype", "PKCS12", "-deststorepass", "changeit"]
        run(*KEYTOOL, "-importkeystore", "-noprompt", *source, "-srcalias", name, *target, "-destkeypass", "changeit")
        tools.same(output, run("openssl", "pkcs12", "-in", taken, "-passin", "pass:changeit", "-noenc"), work)

    return check


class Tomcat:
    """One Tomcat; a connector that cannot start leaves the others alone."""

    def __init__(self):
        self.server = self.plain = None
        self.ports = {}

    def start(self, outputs, work):
        for output in outputs:
            for kind in ("PEM", *(STORES if output.has_key else ())):
                self.ports[output.name, kind] = (free_port(), self.certificate(output, kind))
        (work / "conf").mkdir()
        (work / "conf" / "server.xml").write_text(self.configuration())
        places = [f"-Dcatalina.home={HOME}", f"-Dcatalina.base={work}"]
        command = ["java", "-XX:TieredStopAtLevel=1", *places, "-cp", LIBRARIES, MAIN, "start"]
        # That it listens is the sign that all were tried.
        self.server = Server(command, [self.plain], work)
        self.server.__enter__()

    def configuration(self):
        self.plain = free_port()
        connectors = "".join(
            f'<Connector port="{port}" address="127.0.0.1" executor="few" SSLEnabled="true" secure="true">'
            f'<SSLHostConfig protocols="TLSv1.2+TLSv1.3">{certificate}</SSLHostConfig></Connector>\n'
            for port, certificate in self.ports.values()
        )
        # Connectors start in this order; the last one needs no certificate.
        return f"""
            <Server port="-1"><Service name="Catalina"><Executor name="few" maxThreads="8" minSpareThreads="2"/>
            {connectors}<Connector port="{self.plain}" address="127.0.0.1" executor="few"/>
            <Engine name="Catalina" defaultHost="localhost"><Host name="localhost" appBase="none"/></Engine>
            </Service></Server>"""

    @staticmethod
    def certificate(output, kind):
        if kind == "PEM":
            values = {"certificateFile": output.file("tls.crt"), "certificateKeyFile": output.key}
        else:
            values = {
                "certificateKeystoreFile": output.file(STORES[kind]),
                "certificateKeystoreType": kind,
                "certificateKeystorePassword": password(output, kind),
                "certificateKeyAlias": alias(output, kind),
            }
        attributes = " ".join(f"{name}={quoteattr(str(value))}" for name, value in values.items())
        return f"<Certificate {attributes}/>"

    def check(self, kind):
        def check(output, work):
            port, _ = self.ports[output.name, kind]
            try:
                handshake.succeeds(port, output)
            except Failed as failed:
                about = [line for line in self.server.said().splitlines() if str(port) in line or "Caused by" in line]
                raise Failed("\n".join([str(failed), *about[-6:]])) from failed

        return check

    def stop(self):
        if self.server:
            self.server.end()
