import { promises as dns } from 'node:dns';
import { request } from 'node:https';

/** Whether `address:port` answers GET /readyz with 200 in time; its certificate is the clients' business. */
export function isReady(address: string, port: number, timeoutMs: number): Promise<boolean> {
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

/** Every address of a name, sorted; none when it is unknown, as that of a stopped container is. */
export async function addressesOf(host: string): Promise<string[]> {
  const found = await dns.lookup(host, { family: 4, all: true }).catch(() => []);
  return found.map(({ address }) => address).toSorted();
}
