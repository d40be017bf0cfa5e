// Serves each job by https, asks each server as a client that trusts the job's root alone, and then listens on the port
// that says that all were tried. Prints a line for each: "PORT asked", or "PORT" and what went wrong.
'use strict';

const { once } = require('events');
const fs = require('fs');
const https = require('https');
const net = require('net');

const { ready, jobs } = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));

function options({ pfx, passphrase, cert, key }) {
  return pfx ? { pfx: fs.readFileSync(pfx), passphrase } : { cert: fs.readFileSync(cert), key: fs.readFileSync(key) };
}

function ask({ port, root }, servername) {
  const trust = { servername, ca: fs.readFileSync(root) };
  const request = { host: '127.0.0.1', port, headers: { host: servername }, agent: false, timeout: 10000, ...trust };
  return new Promise((resolve, reject) => {
    https.get(request, (answer) => {
      let peer = answer.socket.getPeerCertificate(true);
      let length = 1;
      while (peer.issuerCertificate && peer.issuerCertificate !== peer) {
        peer = peer.issuerCertificate;
        length += 1;
      }
      answer.resume().on('end', () => resolve(length));
    }).on('error', reject).on('timeout', function () { this.destroy(new Error('no answer')); });
  });
}

async function run(job) {
  const server = https.createServer(options(job.files), (request, answer) => answer.writeHead(204).end());
  server.on('tlsClientError', () => {});
  server.listen(job.port, '127.0.0.1');
  await once(server, 'listening');
  for (const name of job.names) {
    const length = await ask(job, name);
    // Node adds the root that it trusts.
    if (length !== job.chain + 1) throw new Error(`a chain of ${length} certificates`);
  }
}

(async () => {
  for (const job of jobs) {
    try {
      await run(job);
      console.log(`${job.port} asked`);
    } catch (error) {
      console.log(`${job.port} ${String(error.message).replace(/\s+/g, ' ')}`);
    }
  }
  net.createServer().listen(ready, '127.0.0.1');
})();

process.stdin.resume().on('end', () => process.exit());
