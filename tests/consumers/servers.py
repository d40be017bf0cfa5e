"""The servers that read PEM, each started for one output. Configurations are as short as they can be."""

import os
import shutil

import handshake
from bench import Server, free_port, pem

USER = "User nobody\nGroup nogroup" if os.geteuid() == 0 else ""


def serves(output, work, command, files=(), port=None):
    """Starts a server, and shakes hands with it."""
    for name, content in files:
        (work / name).write_text(content)
    with Server(command, [port], work):
        handshake.succeeds(port, output)


def s_server(output, work):
    with openssl_server(output, output.chain(), work) as server:
        handshake.succeeds(server.ports[0], output)


def openssl_server(output, chain, work):
    """It takes no chain from the file of the certificate."""
    (work / "leaf.pem").write_text(pem(chain[0]))
    (work / "others.pem").write_text("".join(pem(certificate) for certificate in chain[1:]))
    others = ["-cert_chain", work / "others.pem"] if chain[1:] else []
    port = free_port()
    command = ["openssl", "s_server", "-quiet", "-accept", f"127.0.0.1:{port}", "-key", output.key]
    return Server([*command, "-cert", work / "leaf.pem", *others], [port], work)


def nginx(output, work):
    port = free_port()
    uses = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = " ".join(f"{use}_temp_path {work}/{use};" for use in uses)
    config = f"""
        daemon off; master_process off; pid {work}/pid; error_log stderr;
        events {{}}
        http {{
            access_log off; {paths}
            server {{
                listen 127.0.0.1:{port} ssl;
                ssl_protocols TLSv1.2 TLSv1.3;
                ssl_certificate {output.file("tls.crt")};
                ssl_certificate_key {output.key};
                return 204;
            }}
        }}
    """
    command = ["nginx", "-p", work, "-e", "stderr", "-c", work / "nginx.conf"]
    serves(output, work, command, [("nginx.conf", config)], port)


def haproxy(output, work, crt, options=""):
    port = free_port()
    config = f"""
global
    {options}
defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
frontend https
    bind 127.0.0.1:{port} ssl crt {crt}
    http-request return status 204
"""
    serves(output, work, ["haproxy", "-db", "-f", work / "haproxy.cfg"], [("haproxy.cfg", config)], port)


def haproxy_one_file(output, work):
    """Certificate, chain and key in one file."""
    file = work / "both.pem"
    file.write_text(output.file("tls.crt").read_text() + output.key.read_text())
    haproxy(output, work, file)


def haproxy_beside(output, work):
    """The key beside the certificate, as `tls.crt.key`."""
    shutil.copy(output.file("tls.crt"), work / "tls.crt")
    shutil.copy(output.key, work / "tls.crt.key")
    haproxy(output, work, work / "tls.crt")


def haproxy_as_mounted(output, work):
    """The entries as a Secret's volume has them, as docs/pem.md says."""
    shutil.copytree(output.directory, work / "tls")
    if not output.has_key:
        shutil.copy(output.key, work / "tls" / "tls.key")
    haproxy(output, work, work / "tls" / "tls.crt", "ssl-load-extra-del-ext")


def apache(output, work):
    port = free_port()
    config = f"""
ServerName localhost
{USER}
PidFile {work}/pid
ErrorLog /dev/stderr
DefaultRuntimeDir {work}
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
Listen 127.0.0.1:{port} https
SSLEngine on
SSLProtocol -all +TLSv1.2 +TLSv1.3
SSLCertificateFile {output.file("tls.crt")}
SSLCertificateKeyFile {output.key}
"""
    command = ["apache2", "-d", work, "-f", work / "apache.conf", "-DFOREGROUND"]
    serves(output, work, command, [("apache.conf", config)], port)


def stunnel(output, work):
    port = free_port()
    config = f"""
foreground = yes
pid =
[echo]
accept = 127.0.0.1:{port}
cert = {output.file("tls.crt")}
key = {output.key}
exec = /bin/cat
execArgs = cat
"""
    serves(output, work, ["stunnel4", work / "stunnel.conf"], [("stunnel.conf", config)], port)
