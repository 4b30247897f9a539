import { createServer } from 'node:https';
import type { Server } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SystemClock, createLogger } from '@orrery/component';
import { createCa, issueCertificate } from '@orrery/pki';
import { eventually } from '@orrery/testkit';
import { Relay } from './relay.js';

const ADDRESS = '127.0.0.1';

/** Stands for an API server: says its name, and whether it is ready. */
class Backend {
  isReady = true;
  /** As a server whose process is stopped: connections stay, and nothing comes. */
  isSilent = false;
  readonly #server: Server;

  constructor(name: string, tls: { key: string; cert: string }) {
    this.#server = createServer(tls, ({ url }, answer) => {
      if (this.isSilent) return;
      answer.statusCode = url === '/readyz' && !this.isReady ? 500 : 200;
      answer.end(name);
    });
  }

  async listen(): Promise<number> {
    this.#server.listen(0, ADDRESS);
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** Who answers a new connection to the port; throws when it is refused. */
function ask(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host: ADDRESS, port, rejectUnauthorized: false }, () => {
      socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    });
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => {
      resolve(text.split('\r\n\r\n')[1] ?? '');
    });
  });
}

/** A connection that says on its own that it was ended. */
class Client {
  isOpen = true;
  #text = '';
  readonly #socket;

  constructor(port: number) {
    this.#socket = connectTls({ host: ADDRESS, port, rejectUnauthorized: false })
      .on('data', (chunk) => (this.#text += chunk.toString()))
      .on('error', () => undefined)
      .on('close', () => (this.isOpen = false));
  }

  /** Asks on, on the one connection that it has. */
  async ask(): Promise<string> {
    this.#text = '';
    this.#socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    return eventually(() => {
      const [, body = ''] = this.#text.split('\r\n\r\n');
      if (body === '') throw new Error('no answer yet');
      return body.includes('one') ? 'one' : 'two';
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}

describe(Relay.name, () => {
  let stop = new AbortController();
  let backends: Backend[] = [];
  let running: Promise<void>;
  let port = 0;

  beforeEach(async () => {
    stop = new AbortController();
    const now = new SystemClock().now();
    const issued = await issueCertificate(await createCa('ca', now), {
      commonName: 'apiserver',
      usages: ['serverAuth'],
      now,
    });
    const tls = { key: issued.keyPem, cert: issued.certPem };
    backends = [new Backend('one', tls), new Backend('two', tls)];
    const ports = await Promise.all(backends.map((backend) => backend.listen()));
    const probe = createServer().listen(0, ADDRESS);
    await once(probe, 'listening');
    port = (probe.address() as AddressInfo).port;
    probe.close();
    const relay = new Relay({
      listen: { address: ADDRESS, ports: [port] },
      check: 'readyz',
      to: [
        ...ports.map((one) => ({ host: ADDRESS, port: one })),
        { host: 'gone.invalid', port: 1 },
      ],
      intervalMs: 20,
      timeoutMs: 1_000,
      fall: 3,
      clock: new SystemClock(),
      logger: createLogger({ component: 'relay', level: 'silent' }),
    });
    running = relay.run(stop.signal);
  });

  afterEach(async () => {
    stop.abort();
    for (const backend of backends) backend.close();
    await running;
  });

  it('serves with those that are ready, and with none refuses', async () => {
    const both = async (): Promise<string[]> => [await ask(port), await ask(port)].toSorted();
    await eventually(async () => {
      expect(await both()).toEqual(['one', 'two']);
    });
    const [first, second] = backends;
    if (first) first.isReady = false;
    await eventually(async () => {
      expect(await both()).toEqual(['two', 'two']);
    });
    if (second) second.isReady = false;
    await eventually(async () => {
      await expect(ask(port)).rejects.toThrow('ECONNREFUSED');
    });
    if (first) first.isReady = true;
    await eventually(async () => {
      expect(await both()).toEqual(['one', 'one']);
    });
  });

  it('lets the connections to a server live that is not ready, and resets those to one that does not answer', async () => {
    await eventually(async () => {
      expect([await ask(port), await ask(port)].toSorted()).toEqual(['one', 'two']);
    });
    const clients = [new Client(port), new Client(port)];
    const names = await Promise.all(clients.map((client) => client.ask()));
    expect(names.toSorted()).toEqual(['one', 'two']);
    const [first, second] = backends;
    const to = (name: string): Client | undefined => clients[names.indexOf(name)];
    if (first) first.isReady = false;
    await eventually(async () => {
      expect(await ask(port)).toBe('two');
    });
    expect(await to('one')?.ask()).toBe('one');
    if (second) second.isSilent = true;
    await eventually(() => {
      expect(to('two')?.isOpen).toBe(false);
    });
    expect(await to('one')?.ask()).toBe('one');
    for (const client of clients) client.close();
  });
});
