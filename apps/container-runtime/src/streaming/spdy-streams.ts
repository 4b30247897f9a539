import type { Duplex } from 'node:stream';
import type { Clock } from '@orrery/component';
import type { SpdyStream } from 'spdy-transport';
import { ended, outcomeStatus, outcomeText, parseResize } from './remote-streams.js';
import type { RemoteStreams, WantedStreams } from './remote-streams.js';
import { acceptSpdy, typeOf } from './spdy-session.js';

/** How long a client may take to open its streams (k8s kubelet's DefaultStreamCreationTimeout). */
const CREATION_TIMEOUT_MS = 30_000;

/** Best first; version 4 is what upstream's SPDY servers speak, 5 differs from it on WebSockets only. */
export const SPDY_VERSIONS = [
  'v4.channel.k8s.io',
  'v5.channel.k8s.io',
  'v3.channel.k8s.io',
  'v2.channel.k8s.io',
  'channel.k8s.io',
] as const;

function expected(want: WantedStreams, version: string): string[] {
  const resizes = want.tty && !['v2.channel.k8s.io', 'channel.k8s.io'].includes(version);
  return [
    'error',
    ...(want.stdin ? ['stdin'] : []),
    ...(want.stdout ? ['stdout'] : []),
    ...(want.stderr && !want.tty ? ['stderr'] : []),
    ...(resizes ? ['resize'] : []),
  ];
}

export interface SpdyStreamsOptions {
  readonly want: WantedStreams;
  readonly version: string;
  readonly clock: Clock;
}

/** Waits for all streams of an exec or attach; rejects when they do not come. */
export function spdyStreams(
  socket: Duplex,
  { want, version, clock }: SpdyStreamsOptions,
): Promise<RemoteStreams> {
  const streams = new Map<string, SpdyStream>();
  const missing = new Set(expected(want, version));
  const gone = new AbortController();
  socket.once('close', () => {
    gone.abort();
  });
  return new Promise((resolve, reject) => {
    const cancel = clock.after(CREATION_TIMEOUT_MS, () => {
      socket.destroy();
      reject(new TypeError('the client opened too few streams'));
    });
    gone.signal.addEventListener('abort', () => {
      cancel();
      reject(new TypeError('the client left'));
    });
    acceptSpdy(socket, (stream) => {
      const type = typeOf(stream);
      streams.set(type, stream);
      missing.delete(type);
      // Clients half-close what they do not write to at once; reading lets that end reach us.
      if (type !== 'stdin' && type !== 'resize') stream.resume();
      if (missing.size > 0) return;
      cancel();
      resolve(toRemote(socket, streams, gone.signal, version));
    });
  });
}

function toRemote(
  socket: Duplex,
  streams: ReadonlyMap<string, SpdyStream>,
  gone: AbortSignal,
  version: string,
): RemoteStreams {
  const structured = version.startsWith('v4') || version.startsWith('v5');
  return {
    stdin: streams.get('stdin'),
    stdout: streams.get('stdout'),
    stderr: streams.get('stderr'),
    gone,
    onResize: (listener) => {
      streams.get('resize')?.on('data', (chunk: Buffer) => {
        for (const line of chunk.toString().split('\n')) {
          const size = parseResize(line);
          if (size) listener(size.columns, size.rows);
        }
      });
    },
    finish: async (outcome) => {
      await Promise.all([ended(streams.get('stdout')), ended(streams.get('stderr'))]);
      await ended(streams.get('error'), structured ? outcomeStatus(outcome) : outcomeText(outcome));
      // One turn of the event loop lets the last frames leave before the connection does.
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
      socket.end();
    },
  };
}
