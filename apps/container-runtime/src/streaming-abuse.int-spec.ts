// What no client of exec, attach and port-forward would send (kubectl speaks SPDY/3.1 or WebSocket): it is refused or its
// connection ends, what is kept for it is bounded, and the runtime goes on.
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { constants, createDeflate } from 'node:zlib';
import { createRequire } from 'node:module';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { RuntimeFixture, eventually } from '../test/runtime-fixture.js';

const require = createRequire(import.meta.url);
const dictionary = (
  require('spdy-transport/lib/spdy-transport/protocol/spdy/dictionary') as Record<string, Buffer>
)['3.1'];
const MEGABYTE = 2 ** 20;
const [SYN_STREAM, RST, SETTINGS, PING, GOAWAY, WINDOW] = [1, 3, 4, 6, 7, 9] as const;

const u32 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => bytes.writeUInt32BE(value >>> 0, 4 * i));
  return bytes;
};

/** A control frame of SPDY/3.1; `length` when it lies. */
const control = (type: number, body: Buffer, length = body.length): Buffer =>
  Buffer.concat([u32((0x8003 << 16) | type, length), body]);

const data = (stream: number, body: Buffer, length = body.length): Buffer =>
  Buffer.concat([u32(stream, length), body]);

/** The header blocks of one connection, which share their compression. */
class Blocks {
  private readonly deflate = createDeflate({ dictionary });

  async of(headers: Readonly<Record<string, string>>, count?: number): Promise<Buffer> {
    const entries = Object.entries(headers);
    const text = (value: string): Buffer =>
      Buffer.concat([u32(Buffer.byteLength(value)), Buffer.from(value)]);
    const plain = [u32(count ?? entries.length), ...entries.flat().map(text)];
    return this.pack(Buffer.concat(plain));
  }

  pack(plain: Buffer): Promise<Buffer> {
    return new Promise((resolve) => {
      const chunks: Buffer[] = [];
      const keep = (chunk: Buffer): void => void chunks.push(chunk);
      this.deflate.on('data', keep);
      this.deflate.write(plain);
      this.deflate.flush(constants.Z_SYNC_FLUSH, () => {
        this.deflate.off('data', keep);
        resolve(Buffer.concat(chunks));
      });
    });
  }

  async stream(id: number, headers: Readonly<Record<string, string>>): Promise<Buffer> {
    const block = await this.of(headers);
    return control(SYN_STREAM, Buffer.concat([u32(id, 0), Buffer.alloc(2), block]));
  }
}

/** A connection on which bytes are written as they are. */
class Raw {
  received = 0;
  text = '';
  readonly closed: Promise<void>;

  constructor(readonly socket: Socket) {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      this.received += chunk.length;
      if (this.text.length < 10_000) this.text += chunk.toString('latin1');
    });
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        resolve();
      });
    });
  }

  /** Writes the bytes again and again; how many bytes were taken until the other side read no more, or all. */
  async flood(bytes: Buffer, times: number): Promise<number> {
    let taken = 0;
    for (let i = 0; i < times && !this.socket.destroyed; i++) {
      const isTaken = await new Promise<boolean>((resolve) => {
        const timer = setTimeout(resolve, 2_000, false);
        this.socket.once('close', () => {
          resolve(false);
        });
        this.socket.write(bytes, (error) => {
          clearTimeout(timer);
          resolve(!error);
        });
      });
      if (!isTaken) break;
      taken += bytes.length;
    }
    return taken;
  }
}

const WEBSOCKET = [
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Protocol: v4.channel.k8s.io',
];

const heapMb = (): number => {
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / MEGABYTE;
};

describe('streaming under attack', () => {
  let fixture: RuntimeFixture;
  let podSandboxId: string;
  let containerId: string;
  const open: Socket[] = [];
  const lost: unknown[] = [];
  const note = (error: unknown): void => void lost.push(error);

  beforeAll(async () => {
    process.on('unhandledRejection', note);
    fixture = await RuntimeFixture.start(79);
    podSandboxId = (await fixture.runPod('abused')).id;
    containerId = await fixture.run(podSandboxId, 'nginx:1.9.1');
  });
  afterEach(() => {
    for (const socket of open.splice(0)) socket.destroy();
  });
  afterAll(async () => {
    await fixture.stop();
    process.off('unhandledRejection', note);
  });

  async function begin(url: string, head: readonly string[], version?: string): Promise<Raw> {
    const { hostname, port, pathname } = new URL(url);
    const socket = connect(Number(port), hostname);
    open.push(socket);
    const raw = new Raw(socket);
    const more = version ? [`X-Stream-Protocol-Version: ${version}`] : [];
    const method = head === WEBSOCKET ? 'GET' : 'POST';
    const lines = [
      `${method} ${pathname} HTTP/1.1`,
      'Host: x',
      'Connection: Upgrade',
      ...head,
      ...more,
    ];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    await eventually(() => {
      expect(raw.text).toContain('\r\n\r\n');
    });
    expect(raw.text).toMatch(/^HTTP\/1\.1 101 /);
    return raw;
  }

  const forward = async (): Promise<Raw> => {
    const { url } = await fixture.client.runtime.portForward({ podSandboxId, port: [80] });
    return begin(url, ['Upgrade: SPDY/3.1'], 'portforward.k8s.io');
  };

  const exec = async (cmd: string[], stdin = false): Promise<string> => {
    const asked = { containerId, cmd, stdin, stdout: true, stderr: false };
    return (await fixture.client.runtime.exec(asked)).url;
  };

  const execRaw = async (cmd: string[], stdin = false): Promise<Raw> =>
    begin(await exec(cmd, stdin), ['Upgrade: SPDY/3.1'], 'v4.channel.k8s.io');

  it.each([
    { name: 'above all', port: '65536' },
    { name: 'of no number', port: 'http' },
    { name: 'zero', port: '0' },
    { name: 'below zero', port: '-1' },
    { name: 'none', port: '' },
  ])('refuses streams to a port $name', async ({ port }) => {
    const [raw, blocks] = [await forward(), new Blocks()];
    const headers = { requestid: '0', ...(port === '' ? {} : { port }) };
    raw.socket.write(await blocks.stream(1, { ...headers, streamtype: 'error' }));
    raw.socket.write(await blocks.stream(3, { ...headers, streamtype: 'data' }));
    const refusal = control(RST, u32(1, 3)).toString('latin1');
    await eventually(() => {
      expect(raw.text).toContain(refusal);
    });
    expect(lost).toEqual([]);
  });

  it.each([
    {
      name: 'a header block that unpacks to 8 MiB',
      bytes: async () => {
        const bomb = await new Blocks().pack(
          Buffer.concat([u32(1, 8 * MEGABYTE), Buffer.alloc(8 * MEGABYTE, 'x')]),
        );
        return control(SYN_STREAM, Buffer.concat([u32(1, 0), Buffer.alloc(2), bomb]));
      },
    },
    {
      name: 'a header block of 16 MiB',
      bytes: () => Promise.resolve(control(SYN_STREAM, Buffer.alloc(MEGABYTE, 1), 2 ** 24 - 1)),
    },
    {
      name: 'four billion headers, none of which comes',
      bytes: async () => {
        const block = await new Blocks().of({}, 2 ** 32 - 1);
        return control(SYN_STREAM, Buffer.concat([u32(1, 0), Buffer.alloc(2), block]));
      },
    },
    {
      name: 'a block that is not compressed',
      bytes: () =>
        Promise.resolve(control(SYN_STREAM, Buffer.concat([u32(1, 0), Buffer.alloc(600, 0x7f)]))),
    },
    {
      name: 'four billion settings, none of which comes',
      bytes: () => Promise.resolve(control(SETTINGS, u32(2 ** 32 - 1))),
    },
    {
      name: 'another version',
      bytes: () => Promise.resolve(Buffer.concat([u32(0x80630006, 4), u32(1)])),
    },
    { name: 'GOAWAY', bytes: () => Promise.resolve(control(GOAWAY, u32(0, 1))) },
    {
      name: 'a ping of 60,000 bytes',
      bytes: () => Promise.resolve(control(PING, Buffer.alloc(60_000))),
    },
    { name: 'noise', bytes: () => Promise.resolve(Buffer.alloc(MEGABYTE, 0xa5)) },
    {
      name: 'more streams than anybody opens',
      bytes: async () => {
        const blocks = new Blocks();
        const frames: Buffer[] = [];
        for (let i = 0; i < 2_100; i++)
          frames.push(
            await blocks.stream(2 * i + 1, {
              streamtype: 'error',
              port: '80',
              requestid: String(i),
            }),
          );
        return Buffer.concat(frames);
      },
    },
  ])(
    'ends a connection that sends $name',
    async ({ bytes }) => {
      const before = heapMb();
      const raw = await forward();
      const attack = await bytes();
      raw.socket.write(attack);
      await raw.closed;
      expect(heapMb() - before).toBeLessThan(150);
      expect(lost).toEqual([]);
    },
    60_000,
  );

  it('takes windows and resets of what is not there, again and again', async () => {
    const [raw, blocks] = [await forward(), new Blocks()];
    const frames = [
      control(WINDOW, u32(0, 0x7fffffff)),
      control(WINDOW, u32(7, 0x7fffffff)),
      control(RST, u32(9, 5)),
    ];
    for (let i = 0; i < 200; i++) raw.socket.write(Buffer.concat(frames));
    const headers = { port: '80', requestid: '0' };
    raw.socket.write(await blocks.stream(1, { ...headers, streamtype: 'error' }));
    raw.socket.write(await blocks.stream(3, { ...headers, streamtype: 'data' }));
    raw.socket.write(data(3, Buffer.from('GET /x HTTP/1.0\r\n\r\n')));
    await eventually(() => {
      expect(raw.text).toContain('404 Not Found');
    });
  });

  it('takes no more standard input over SPDY than a command reads', async () => {
    const [raw, blocks] = [await execRaw(['sleep', '60'], true), new Blocks()];
    for (const [i, streamtype] of ['error', 'stdin', 'stdout'].entries())
      raw.socket.write(await blocks.stream(2 * i + 1, { streamtype }));
    const taken = await raw.flood(data(3, Buffer.alloc(MEGABYTE)), 64);
    expect(taken).toBeLessThan(32 * MEGABYTE);
    raw.socket.destroy();
  }, 30_000);

  it('lets a command wait whose output nobody reads', async () => {
    const [raw, blocks] = [await execRaw(['sh', '-c', 'echo $$; exec yes']), new Blocks()];
    for (const [i, streamtype] of ['error', 'stdout'].entries())
      raw.socket.write(await blocks.stream(2 * i + 1, { streamtype }));
    await eventually(() => {
      expect(raw.received).toBeGreaterThan(100_000);
    });
    raw.socket.pause();
    const before = heapMb();
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(heapMb() - before).toBeLessThan(64);
  }, 30_000);

  describe('over WebSocket', () => {
    /** A frame as a client masks it, with a mask of zeros. */
    const frame = (first: number, payload: Buffer, length = payload.length): Buffer => {
      const head = Buffer.alloc(14);
      head.set([first, 0x80 | 127]);
      head.writeBigUInt64BE(BigInt(length), 2);
      return Buffer.concat([head, payload]);
    };
    const STDIN = Buffer.alloc(MEGABYTE);
    const BINARY = 0x82;

    it.each([
      { name: 'a frame of 4 GiB', bytes: frame(BINARY, STDIN, 2 ** 32), times: 64 },
      {
        name: 'a message in fragments that does not end',
        bytes: Buffer.concat([
          frame(0x02, STDIN),
          ...Array.from({ length: 33 }, () => frame(0, STDIN)),
        ]),
        times: 1,
      },
      { name: 'a frame without a mask', bytes: Buffer.from([BINARY, 2, 0, 65]), times: 1 },
      { name: 'a continuation of nothing', bytes: frame(0x80, STDIN), times: 1 },
      { name: 'a frame of an unknown sort', bytes: frame(0x85, Buffer.from('x')), times: 1 },
      { name: 'a compressed frame', bytes: frame(0xc2, Buffer.from('x')), times: 1 },
      { name: 'a ping of 64 KiB', bytes: frame(0x89, Buffer.alloc(65_536)), times: 1 },
      { name: 'a ping in fragments', bytes: frame(0x09, Buffer.from('x')), times: 1 },
    ])(
      'ends an exec that is sent $name, and its command',
      async ({ bytes, times }) => {
        const raw = await begin(
          await exec(['sh', '-c', 'echo $$; exec sleep 100'], true),
          WEBSOCKET,
        );
        await eventually(() => {
          expect(raw.text).toMatch(/\d+\n$/);
        });
        const pid = Number(/(\d+)\n$/.exec(raw.text)?.[1]);
        await raw.flood(bytes, times);
        await raw.closed;
        await eventually(() => {
          expect(() => process.kill(pid, 0)).toThrow('ESRCH');
        });
      },
      60_000,
    );

    it('takes no more standard input than a command reads', async () => {
      const raw = await begin(await exec(['sleep', '100'], true), WEBSOCKET);
      expect(await raw.flood(frame(BINARY, STDIN), 64)).toBeLessThan(32 * MEGABYTE);
    }, 60_000);

    it('passes over channels that there are not', async () => {
      const raw = await begin(await exec(['cat'], true), WEBSOCKET);
      for (const channel of [1, 2, 3, 5, 200, 254])
        raw.socket.write(frame(BINARY, Buffer.from([channel, 120])));
      raw.socket.write(frame(BINARY, Buffer.alloc(0)));
      raw.socket.write(frame(BINARY, Buffer.from([4, 120])));
      raw.socket.write(frame(BINARY, Buffer.from('\0here\n')));
      await eventually(() => {
        expect(raw.text).toContain('\x01here\n');
      });
      expect(lost).toEqual([]);
    });
  });
});
