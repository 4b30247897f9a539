import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { Logger } from '@orrery/component';
import type { KubeProxyConfiguration } from '../config/kube-proxy-configuration.js';

/** Answers /healthz, /livez and /proxyMode on the configured addresses. */
export interface HealthServers {
  close(): Promise<void>;
}

function listen(address: string, mode: string, logger: Logger): Promise<Server | undefined> {
  const at = address.lastIndexOf(':');
  const server = createServer((req, res) => {
    const body = { '/healthz': 'ok', '/livez': 'ok', '/proxyMode': mode }[req.url ?? ''];
    res.writeHead(body ? 200 : 404, { 'content-type': 'text/plain; charset=utf-8' });
    res.end(body ?? '404 page not found\n');
  });
  return new Promise((resolve) => {
    server.once('error', (error) => {
      // As upstream: a taken port is no reason to stop proxying (bindAddressHardFail is false).
      logger.error('health server cannot listen', error, { address });
      resolve(undefined);
    });
    server.listen(Number(address.slice(at + 1)), address.slice(0, at), () => {
      resolve(server);
    });
  });
}

/** Starts what healthzBindAddress and metricsBindAddress ask for; an empty address starts nothing. */
export async function serveHealth(
  config: KubeProxyConfiguration,
  logger: Logger,
): Promise<HealthServers> {
  const addresses = [config.healthzBindAddress, config.metricsBindAddress].filter(
    (address): address is string => Boolean(address?.includes(':')),
  );
  const mode = config.mode || 'iptables';
  const servers = await Promise.all(addresses.map((address) => listen(address, mode, logger)));
  return {
    close: async () => {
      await Promise.all(
        servers.map(
          (server) =>
            new Promise<void>((resolve) => {
              if (!server) resolve();
              else
                server.close(() => {
                  resolve();
                });
            }),
        ),
      );
    },
  };
}
