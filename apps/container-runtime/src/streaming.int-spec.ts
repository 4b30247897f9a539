import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import transport from 'spdy-transport';
import type { SpdyConnection, SpdyStream } from 'spdy-transport';
import { WebSocket } from 'ws';
import { RuntimeFixture, eventually } from '../test/runtime-fixture.js';

/** Opens the connection of a streaming URL, upgraded to SPDY. */
async function upgrade(url: string, versions: string): Promise<{ socket: Socket; head: string }> {
  const { hostname, port, pathname } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(
    `POST ${pathname} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${versions}\r\n\r\n`,
  );
  const head = await new Promise<string>((resolve) => {
    socket.once('data', (chunk) => {
      resolve(chunk.toString());
    });
  });
  return { socket, head };
}

/**
 * The socket without its end: when it closes, this library forgets what it has read and not parsed yet, so that streams whose
 * end has come would never end.
 */
function endless(socket: Socket): Duplex {
  const duplex = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      socket.write(chunk, () => {
        done();
      });
    },
  });
  socket.on('data', (chunk) => duplex.push(chunk));
  return duplex;
}

function spdy(socket: Socket): SpdyConnection {
  const connection = transport.connection.create(endless(socket), {
    protocol: 'spdy',
    isServer: false,
  });
  connection.on('error', () => undefined);
  connection.start(3.1);
  return connection;
}

/** As docker/spdystream in kubectl and the API server, which knows no flow control. */
function neverWidenWindows(connection: SpdyConnection): void {
  connection._spdyState.framer.windowUpdateFrame = () => undefined;
}

function open(connection: SpdyConnection, headers: Record<string, string>): Promise<SpdyStream> {
  return new Promise((resolve, reject) => {
    connection.request({ method: 'POST', path: '/', host: 'x', headers }, (error, stream) => {
      if (error) reject(error);
      else resolve(stream);
    });
  });
}

function text(stream: SpdyStream): Promise<string> {
  let all = '';
  stream.on('data', (chunk) => {
    all += String(chunk);
  });
  return new Promise((resolve) => {
    stream.once('end', () => {
      resolve(all);
    });
  });
}

describe('streaming', () => {
  let fixture: RuntimeFixture;
  let pod: { id: string; ip: string };
  let containerId: string;

  beforeAll(async () => {
    fixture = await RuntimeFixture.start(71);
    pod = await fixture.runPod('stream');
    containerId = await fixture.run(pod.id, 'nginx:1.9.1');
  });

  afterAll(() => fixture.stop());

  const exec = (cmd: string[], extra: { stdin?: boolean; tty?: boolean } = {}) =>
    fixture.client.runtime.exec({
      containerId,
      cmd,
      stdout: true,
      stderr: !extra.tty,
      ...extra,
    });

  it.each<{ name: string; want: object; why: string }>([
    {
      name: 'a terminal beside standard error',
      want: { tty: true, stdout: true, stderr: true },
      why: 'tty and stderr cannot both be true',
    },
    { name: 'no stream at all', want: {}, why: 'one of stdin, stdout, or stderr must be set' },
  ])('refuses $name', async ({ want, why }) => {
    const { runtime } = fixture.client;
    const refused = { code: 'INVALID_ARGUMENT', message: expect.stringContaining(why) };
    await expect(runtime.exec({ containerId, cmd: ['ls'], ...want })).rejects.toMatchObject(
      refused,
    );
    await expect(runtime.attach({ containerId, ...want })).rejects.toMatchObject(refused);
  });

  it('carries stdin, stdout, stderr and the exit code over SPDY', async () => {
    const { url } = await exec(['sh', '-c', 'cat; echo bad >&2; exit 3'], { stdin: true });
    const { socket, head } = await upgrade(
      url,
      'v5.channel.k8s.io, v4.channel.k8s.io, channel.k8s.io',
    );
    expect(head).toContain('X-Stream-Protocol-Version: v4.channel.k8s.io');
    const connection = spdy(socket);
    const error = await open(connection, { streamtype: 'error' });
    const stdin = await open(connection, { streamtype: 'stdin' });
    const stdout = await open(connection, { streamtype: 'stdout' });
    const stderr = await open(connection, { streamtype: 'stderr' });
    stdin.end('hello\n');
    const [out, bad, status] = await Promise.all([text(stdout), text(stderr), text(error)]);
    expect([out, bad]).toEqual(['hello\n', 'bad\n']);
    expect(JSON.parse(status)).toMatchObject({
      status: 'Failure',
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: '3' }] },
    });
    socket.destroy();
  });

  /** Runs to the end; the text of each channel. */
  function channels(url: string, protocols: string[], send: (socket: WebSocket) => void) {
    return new Promise<{ protocol: string; texts: string[] }>((resolve, reject) => {
      const socket = new WebSocket(url.replace('http:', 'ws:'), protocols);
      const texts = ['', '', '', '', ''];
      socket.on('message', (data: Buffer) => {
        const channel = data[0] ?? 0;
        texts[channel] = (texts[channel] ?? '') + data.subarray(1).toString();
      });
      socket.on('open', () => {
        send(socket);
      });
      socket.on('error', reject);
      socket.on('close', () => {
        resolve({ protocol: socket.protocol, texts });
      });
    });
  }

  it('carries more than a window of SPDY to a client that never widens it', async () => {
    const { url } = await exec(['sh', '-c', 'head -c 3000000 /dev/zero']);
    const { socket } = await upgrade(url, 'v4.channel.k8s.io');
    const connection = spdy(socket);
    neverWidenWindows(connection);
    const error = await open(connection, { streamtype: 'error' });
    const stdout = await open(connection, { streamtype: 'stdout' });
    const stderr = await open(connection, { streamtype: 'stderr' });
    const [out, , status] = await Promise.all([text(stdout), text(stderr), text(error)]);
    expect([out.length, JSON.parse(status)]).toEqual([
      3_000_000,
      { metadata: {}, status: 'Success' },
    ]);
    socket.destroy();
  });

  it('carries an exec over WebSocket v5 with a closed stdin', async () => {
    const { url } = await exec(['sh', '-c', 'cat; echo $0'], { stdin: true });
    const { protocol, texts } = await channels(
      url,
      ['v5.channel.k8s.io', 'v4.channel.k8s.io'],
      (socket) => {
        socket.send(Buffer.from('\0hello\n'));
        socket.send(Buffer.from([255, 0]));
      },
    );
    expect(protocol).toBe('v5.channel.k8s.io');
    expect(texts[1]).toBe('hello\nsh\n');
    expect(JSON.parse(texts[3] ?? '')).toEqual({ metadata: {}, status: 'Success' });
  });

  it('runs on a terminal, sized by the resize channel', async () => {
    const { url } = await exec(['sh', '-c', 'read x; stty size; test -t 0 && echo tty'], {
      stdin: true,
      tty: true,
    });
    const { texts } = await channels(url, ['v4.channel.k8s.io'], (socket) => {
      socket.send(Buffer.from('\x04{"Width":101,"Height":33}'));
      socket.send(Buffer.from('\0go\n'));
    });
    expect(texts[1]).toMatch(/33 101\r\ntty\r\n/);
  });

  it('hangs up behind the last frame, on a client that answers no close', async () => {
    const { url } = await exec(['echo', 'hello']);
    const { hostname, port, pathname } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.write(
      `GET ${pathname} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n`,
    );
    let got = '';
    socket.on('data', (chunk) => (got += chunk.toString()));
    await new Promise((resolve) => socket.once('end', resolve));
    expect(got).toContain('\x01hello\n');
    expect(got).toContain('"status":"Success"');
  }, 20_000);

  it('says why a command cannot be run', async () => {
    const { url } = await exec(['no-such-command']);
    const { texts } = await channels(url, ['v5.channel.k8s.io'], () => undefined);
    expect(JSON.parse(texts[3] ?? '')).toMatchObject({
      status: 'Failure',
      message: expect.stringContaining('executable file not found in $PATH') as unknown,
    });
  });

  it('accepts a URL once', async () => {
    const { url } = await exec(['true']);
    await channels(url, ['v5.channel.k8s.io'], () => undefined);
    const { head } = await upgrade(url, 'v4.channel.k8s.io');
    expect(head).toMatch(/^HTTP\/1.1 404/);
  });

  it('ends the command when the caller leaves', async () => {
    const { url } = await exec(['sh', '-c', 'echo $$; sleep 100']);
    const socket = new WebSocket(url.replace('http:', 'ws:'), 'v5.channel.k8s.io');
    const pid = await new Promise<number>((resolve) => {
      socket.on('message', (data: Buffer) => {
        if (data[0] === 1) resolve(Number(data.subarray(1).toString()));
      });
    });
    socket.terminate();
    await eventually(() => {
      expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    });
  });

  it('shows what a container says to an attached caller', async () => {
    const { url } = await fixture.client.runtime.attach({ containerId, stdout: true });
    const socket = new WebSocket(url.replace('http:', 'ws:'), 'v5.channel.k8s.io');
    let seen = '';
    socket.on('message', (data: Buffer) => {
      seen += data.subarray(1).toString();
    });
    await eventually(async () => {
      await fetch(`http://${pod.ip}/attached`);
      expect(seen).toContain('"GET /attached');
    });
    socket.terminate();
  });

  it('tells an attached caller of success, however the container ends', async () => {
    const id = await fixture.run(pod.id, 'busybox', {
      metadata: { name: 'ends' },
      command: ['sh', '-c', 'read line; echo got $line; exit 4'],
      stdin: true,
    });
    const { url } = await fixture.client.runtime.attach({
      containerId: id,
      stdin: true,
      stdout: true,
      stderr: true,
    });
    const { socket } = await upgrade(url, 'v4.channel.k8s.io');
    const connection = spdy(socket);
    const error = await open(connection, { streamtype: 'error' });
    const stdin = await open(connection, { streamtype: 'stdin' });
    const stdout = await open(connection, { streamtype: 'stdout' });
    await open(connection, { streamtype: 'stderr' });
    stdin.write('it\n');
    const [out, status] = await Promise.all([text(stdout), text(error)]);
    expect([out, JSON.parse(status)]).toEqual(['got it\n', { metadata: {}, status: 'Success' }]);
    expect(await fixture.exited(id)).toMatchObject({ exitCode: 4 });
    socket.destroy();
  });

  async function forward(socket: Socket, port: number): Promise<[string, string]> {
    const connection = spdy(socket);
    const headers = { port: String(port), requestid: '0' };
    const error = await open(connection, { ...headers, streamtype: 'error' });
    error.end();
    const data = await open(connection, { ...headers, streamtype: 'data' });
    data.write('GET /forwarded HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    const result = await Promise.all([text(data), text(error)]);
    socket.destroy();
    return result;
  }

  it('forwards a port over SPDY', async () => {
    const { url } = await fixture.client.runtime.portForward({ podSandboxId: pod.id, port: [80] });
    const { socket, head } = await upgrade(url, 'portforward.k8s.io');
    expect(head).toMatch(/^HTTP\/1.1 101[^]*X-Stream-Protocol-Version: portforward.k8s.io/);
    const [data, error] = await forward(socket, 80);
    expect(data).toMatch(/^HTTP\/1.1 404 Not Found\r\nServer: nginx\/1.9.1/);
    expect(error).toBe('');
  });

  it('says that nothing listens on a forwarded port', async () => {
    const { url } = await fixture.client.runtime.portForward({ podSandboxId: pod.id, port: [81] });
    const { socket } = await upgrade(url, 'portforward.k8s.io');
    const [, error] = await forward(socket, 81);
    expect(error).toMatch(/error forwarding port 81 to pod .*connection refused/);
  });
});
