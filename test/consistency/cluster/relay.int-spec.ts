import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SystemRandom } from '@orrery/component';
import { eventually } from '@orrery/testkit';
import { AddressPlan } from './address-plan.js';
import type { Direction, RelayAddress } from './relay.js';
import { Relay } from './relay.js';

/** Which directions of which connections are blocked. */
class Switches {
  readonly blocked = new Set<string>();

  blocks(direction: Direction, label: string): boolean {
    return this.blocked.has(`${label} ${direction}`);
  }

  delayMs(): number {
    return 0;
  }
}

/** A client that says its name first, and keeps what it hears. */
class Client {
  heard = '';
  isClosed = false;
  private readonly socket: Socket;

  constructor({ host, port }: RelayAddress, name: string) {
    this.socket = connect(port, host);
    this.socket.setEncoding('utf8');
    this.socket.on('data', (text) => (this.heard += String(text)));
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => (this.isClosed = true));
    this.say(`name=${name};`);
  }

  say(text: string): void {
    this.socket.write(text);
  }

  close(): void {
    this.socket.destroy();
  }
}

describe(Relay.name, () => {
  const switches = new Switches();
  let echo: Server;
  let relay: Relay;
  let clients: Client[];

  beforeEach(async () => {
    const plan = await AddressPlan.find(225, new SystemRandom());
    const target = plan.next();
    switches.blocked.clear();
    clients = [];
    echo = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.pipe(socket);
    });
    await new Promise<void>((resolve) => echo.listen(target.port, target.host, resolve));
    relay = await Relay.start(
      plan.next(),
      target,
      switches,
      (first) => /name=(\w+);/.exec(first.toString())?.[1] ?? '',
    );
  });

  afterEach(async () => {
    for (const client of clients) client.close();
    await relay.close();
    await new Promise<void>((resolve) => {
      echo.close(() => resolve());
    });
  });

  function open(name: string): Client {
    const client = new Client(relay.address, name);
    clients.push(client);
    return client;
  }

  it.each<Direction>(['toServer', 'toClient'])(
    'holds what goes %s through a blocked link, of the named connection alone, and lets it pass later',
    async (direction) => {
      const [a, b] = [open('a'), open('b')];
      await eventually(() => a.heard === 'name=a;' && b.heard === 'name=b;');
      switches.blocked.add(`a ${direction}`);
      for (const client of [a, b]) client.say('x');
      await eventually(() => b.heard === 'name=b;x');
      expect(a.heard).toBe('name=a;');
      switches.blocked.clear();
      relay.update();
      await eventually(() => a.heard === 'name=a;x');
    },
  );

  it('never makes a connection that was opened through a blocked link', async () => {
    switches.blocked.add('a toClient');
    const a = open('a');
    const b = open('b');
    await eventually(() => b.heard === 'name=b;');
    expect({ heard: a.heard, isClosed: a.isClosed }).toEqual({ heard: '', isClosed: false });
    switches.blocked.clear();
    relay.update();
    await eventually(() => a.isClosed);
  });

  it('cuts once so many bytes have passed, and serves new connections', async () => {
    const a = open('a');
    await eventually(() => a.heard !== '');
    relay.cutAfter(10);
    a.say('0123456789');
    await eventually(() => a.isClosed);
    const b = open('b');
    await eventually(() => b.heard === 'name=b;');
  });
});
