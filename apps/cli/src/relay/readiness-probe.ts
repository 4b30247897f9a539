import { promises as dns } from 'node:dns';
import { Agent, request } from 'node:https';

/** What an API server says of itself. */
export type Readiness = 'ready' | 'not ready' | 'silent';

/** Asks API servers for /readyz, each over one connection that stays: a handshake costs more than the rest of the question. */
export class ReadinessProbe {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1, maxFreeSockets: 1 });

  /** `silent` = no answer in time, for whatever reason; the certificate is the clients' business. */
  ask(address: string, port: number, timeoutMs: number): Promise<Readiness> {
    return this.#ask(address, port, AbortSignal.timeout(timeoutMs), this.#agent);
  }

  close(): void {
    this.#agent.destroy();
  }

  #ask(host: string, port: number, signal: AbortSignal, agent: Agent | false): Promise<Readiness> {
    return new Promise((resolve) => {
      const options = { host, port, path: '/readyz', agent, rejectUnauthorized: false, signal };
      const asked = request(options, (answer) => {
        answer.resume();
        resolve(answer.statusCode === 200 ? 'ready' : 'not ready');
      });
      asked.on('error', () => {
        // A server may close a connection that waits, at any time: that says nothing of it.
        const isStale = asked.reusedSocket && !signal.aborted;
        resolve(isStale ? this.#ask(host, port, signal, false) : 'silent');
      });
      asked.end();
    });
  }
}

/** Every address of a name, sorted; none when it is unknown, as that of a stopped container is. */
export async function addressesOf(host: string): Promise<string[]> {
  const found = await dns.lookup(host, { family: 4, all: true }).catch(() => []);
  return found.map(({ address }) => address).toSorted();
}
