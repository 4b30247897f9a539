import { createServer } from 'node:net';
import { hostname } from 'node:os';
import { reachablePort } from '@orrery/component';
import { Fatal, forever } from '../agnhost.js';
import type { Agnhost, SubCommand } from '../agnhost.js';
import { parseFlags } from '../flags.js';
import { hostPort, serveHttp } from '../http.js';
import { serveUdp } from '../udp.js';

const FLAGS = { tcp: false, udp: false, http: true, close: false, port: 9376 };
/** How long it goes on after SIGTERM. */
const LINGER_MS = 60_000;

function serveTcp(host: Agnhost, port: number): Promise<void> {
  const server = createServer((socket) => {
    host.log(`TCP request from ${hostPort(socket.remoteAddress ?? '', socket.remotePort ?? 0)}`);
    socket.on('error', () => undefined);
    socket.end(hostname());
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(new Fatal(`Error from net.Listen(): ${error.message}`));
    });
    server.listen(reachablePort(port), host.listen, resolve);
  });
}

/** k8s test/images/agnhost/serve-hostname. */
export const serveHostname: SubCommand = async (host) => {
  const { flags } = parseFlags(host.args, FLAGS);
  const { tcp, udp, http, close, port } = flags;
  if (http && (tcp || udp))
    throw new Fatal("Can't server TCP/UDP mode and HTTP mode at the same time");
  if (tcp) await serveTcp(host, port);
  if (udp)
    await serveUdp(host, port, (_message, from) => {
      host.log(`UDP request from ${hostPort(from.address, from.port)}`);
      return hostname();
    });
  if (http)
    await serveHttp(host, {
      port,
      handler: ({ remote }) => {
        host.log(`HTTP request from ${remote}`);
        return { headers: close ? { Connection: 'close' } : {}, body: hostname() };
      },
    });
  host.log(`Serving on port ${port}.`);
  host.onTerminate(() => {
    host.log('Shutting down after receiving signal: terminated.');
    host.log('Awaiting pod deletion.');
    host.clock.after(LINGER_MS, () => {
      host.exit(0);
    });
  });
  return forever();
};
