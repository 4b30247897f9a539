import { promises as dns } from 'node:dns';
import { request } from 'node:https';
import type { Endpoint } from './relay-flags.js';

/** Whether `address:port` answers GET /readyz with 200 in time; its certificate is the clients' business. */
function isReady(address: string, port: number, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request(
      {
        host: address,
        port,
        path: '/readyz',
        agent: false,
        rejectUnauthorized: false,
        signal: AbortSignal.timeout(timeoutMs),
      },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode === 200);
      },
    );
    asked.on('error', () => {
      resolve(false);
    });
    asked.end();
  });
}

/** The address of a ready API server; undefined when its name is unknown, as that of a stopped container is, or it is not ready. */
export async function readyAddress(
  { host, port }: Endpoint,
  timeoutMs: number,
): Promise<string | undefined> {
  const found = await dns.lookup(host, { family: 4 }).catch(() => undefined);
  if (found === undefined) return undefined;
  return (await isReady(found.address, port, timeoutMs)) ? found.address : undefined;
}
