import { once } from 'node:events';
import { connect, constants, createServer } from 'node:http2';
import type { Http2Server, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createTcp } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@orrery/testkit';
import { CallSession } from './call-session.js';
import type { OpenCall } from './call-session.js';
import { encodeFields } from './header-block.js';

type Serve = (stream: ServerHttp2Stream, path: string) => void;

let server: Http2Server;
let sessions: ServerHttp2Session[];
let session: CallSession;
const urlOf = (listening: { address(): unknown }): string =>
  `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;

/** Listens, and connects. */
async function start(serve: Serve, settings = {}): Promise<void> {
  server = createServer({ settings });
  sessions = [];
  server.on('session', (opened) => {
    sessions.push(opened);
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    serve(stream, String(headers[':path']));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  session = new CallSession({ endpoint: urlOf(server) });
  await once(session, 'remoteSettings');
}

beforeEach(() => {
  sessions = [];
});
afterEach(() => {
  session.destroy();
  for (const opened of sessions) opened.destroy();
  server.close();
});

interface Answer {
  readonly fields: Record<string, string>;
  readonly body: Buffer;
}

/** Asks; gives the answer, or 'refused' or 'broken'. */
function ask(
  path: string,
  body: Buffer = Buffer.from('?'),
): { readonly call: OpenCall; readonly answer: Promise<Answer | 'refused' | 'broken'> } {
  let resolve: (answer: Answer | 'refused' | 'broken') => void = () => undefined;
  const promise = new Promise<Answer | 'refused' | 'broken'>((settle) => (resolve = settle));
  const fields: Record<string, string> = {};
  const chunks: Buffer[] = [];
  const head = { ':method': 'POST', ':scheme': 'http', ':path': path, ':authority': 'x' };
  const call = session.request(encodeFields(head), body, {
    fields: (told) => void Object.assign(fields, told),
    data: (chunk) => void chunks.push(chunk),
    ended: () => resolve({ fields, body: Buffer.concat(chunks) }),
    broken: (refused) => resolve(refused ? 'refused' : 'broken'),
  });
  return { call, answer: promise };
}

const ALL = String.fromCharCode(...Array.from({ length: 95 }, (_, i) => 32 + i)).trim();

/** Answers with the body it was sent, and trailers. */
const echo: Serve = (stream, path) => {
  stream.respond({ ':status': 200, 'x-path': path, 'x-all': ALL }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.pipe(stream);
};

const bytes = (size: number): Buffer => Buffer.alloc(size, 'abcdefghijklmnopqrstuvwxyz');

describe(CallSession.name, () => {
  it.each([
    { name: 'a small body', size: 10 },
    { name: 'one larger than a frame', size: 40_000 },
    { name: 'one larger than the windows of both sides', size: 12_000_000 },
  ])('sends and reads $name, headers and trailers', async ({ size }) => {
    await start(echo);
    const sent = bytes(size);
    const got = await ask('/a', sent).answer;
    if (typeof got === 'string') throw new Error(got);
    expect(got.fields).toMatchObject({
      ':status': '200',
      'x-path': '/a',
      'x-all': ALL,
      'grpc-status': '0',
    });
    expect(got.body.equals(sent)).toBe(true);
  });

  it('carries many requests at once, as many at a time as the server takes', async () => {
    let [open, most] = [0, 0];
    await start(
      (stream, path) => {
        most = Math.max(most, ++open);
        stream.on('close', () => open--);
        setImmediate(() => echo(stream, path));
      },
      { maxConcurrentStreams: 5 },
    );
    const asked = Array.from({ length: 200 }, (_, i) => ask(`/${i}`, bytes(100 + i * 500)));
    const got = await Promise.all(asked.map(({ answer }) => answer));
    expect(got.map((each) => (typeof each === 'string' ? each : each.fields['x-path']))).toEqual(
      asked.map((_, i) => `/${i}`),
    );
    expect(got.map((each) => (typeof each === 'string' ? 0 : each.body.length))).toEqual(
      asked.map((_, i) => 100 + i * 500),
    );
    expect(most).toBe(5);
  });

  it('goes by a window that is made smaller while bodies wait for it', async () => {
    const held: (() => void)[] = [];
    await start((stream, path) => void held.push(() => echo(stream, path)));
    const first = ask('/a', bytes(300_000));
    await eventually(() => expect(held).toHaveLength(1));
    sessions[0]?.settings({ initialWindowSize: 1000 });
    const second = ask('/b', bytes(50_000));
    await eventually(() => expect(held).toHaveLength(2));
    for (const go of held) go();
    const sizes = (await Promise.all([first.answer, second.answer])).map((each) =>
      typeof each === 'string' ? each : each.body.length,
    );
    expect(sizes).toEqual([300_000, 50_000]);
  });

  it('reads headers that take more than one frame', async () => {
    const long = 'y'.repeat(30_000);
    await start((stream) => {
      stream.respond({ ':status': 200, 'x-long': long }, { endStream: true });
    });
    const got = await ask('/a').answer;
    expect(got).toMatchObject({ fields: { ':status': '200', 'x-long': long } });
  });

  it.each([
    { code: constants.NGHTTP2_REFUSED_STREAM, want: 'refused' },
    { code: constants.NGHTTP2_INTERNAL_ERROR, want: 'broken' },
  ])('tells of a stream reset with $code: $want', async ({ code, want }) => {
    await start((stream) => {
      stream.close(code);
    });
    expect(await ask('/a').answer).toBe(want);
    expect(session.closed).toBe(false);
  });

  it('has what a server that goes away has not begun refused, and the rest answered', async () => {
    const held: (() => void)[] = [];
    await start((stream, path) => void held.push(() => echo(stream, path)), {
      maxConcurrentStreams: 1,
    });
    const [first, second] = [ask('/a'), ask('/b')];
    await eventually(() => expect(held).toHaveLength(1));
    sessions[0]?.goaway(constants.NGHTTP2_NO_ERROR, 1);
    expect(await second.answer).toBe('refused');
    expect(session.closed).toBe(true);
    held[0]?.();
    expect(await first.answer).toMatchObject({ fields: { 'x-path': '/a' } });
    expect(await ask('/c').answer).toBe('refused');
    await eventually(() => expect(session.destroyed).toBe(true));
  });

  it('breaks what is under way when the connection is cut', async () => {
    await start(() => undefined);
    const { answer } = ask('/a');
    const pinged = new Promise((resolve) => session.ping(resolve));
    expect(await pinged).toBeNull();
    sessions[0]?.destroy();
    expect(await answer).toBe('broken');
    expect([session.closed, session.destroyed]).toEqual([true, true]);
    expect(await new Promise((resolve) => session.ping(resolve))).toBeInstanceOf(Error);
  });

  it('lets go of a request that is cancelled, and of one that waits for its turn', async () => {
    const paths: string[] = [];
    const codes: number[] = [];
    await start(
      (stream, path) => {
        paths.push(path);
        stream.on('close', () => codes.push(stream.rstCode));
        if (path === '/d') echo(stream, path);
      },
      { maxConcurrentStreams: 1 },
    );
    const [first, second] = [ask('/a'), ask('/b')];
    await eventually(() => expect(paths).toEqual(['/a']));
    session.cancel(second.call);
    session.cancel(first.call);
    await eventually(() => expect(codes).toEqual([constants.NGHTTP2_CANCEL]));
    expect(await ask('/d').answer).toMatchObject({ fields: { 'x-path': '/d' } });
    expect(paths).toEqual(['/a', '/d']);
  });

  it('ends with a server that does not speak HTTP/2', async () => {
    await start(echo);
    const sockets: Socket[] = [];
    const strange = createTcp((socket) => {
      sockets.push(socket);
      socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'.padEnd(200));
    });
    strange.listen(0, '127.0.0.1');
    await once(strange, 'listening');
    const other = new CallSession({ endpoint: urlOf(strange) });
    await once(other, 'close');
    expect(other.destroyed).toBe(true);
    for (const socket of sockets) socket.destroy();
    strange.close();
    // The server in between answers others still.
    const plain = connect(urlOf(server));
    await once(plain, 'connect');
    plain.destroy();
  });
});
