import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '@orrery/testkit';
import { paceChunks } from './held-sockets.js';
import { RequestStarts } from './request-starts.js';

const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/** A server that is sent these bytes at once; answers all that it says until it has answered so often. */
async function exchange(
  handle: (raw: IncomingMessage, response: ServerResponse<IncomingMessage>) => void,
  bytes: string,
  answers: number,
): Promise<string[]> {
  const server = createServer(handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  let text = '';
  socket.setEncoding('latin1').write(bytes);
  try {
    for await (const chunk of socket) {
      text += String(chunk);
      if (text.split('HTTP/1.1 ').length > answers && text.endsWith('\n')) break;
    }
  } finally {
    socket.destroy();
    server.close();
  }
  return [...text.matchAll(/^said (.*)$/gm)].map(([, said = '']) => said);
}

describe('RequestStarts', () => {
  it('lets no more than so many requests begin in one turn, in their order', async () => {
    const starts = new RequestStarts(3);
    const raw = { httpVersionMajor: 2 } as IncomingMessage;
    const begun: number[] = [];
    const counts: number[] = [];
    for (let i = 0; i < 8; i++) starts.begin(raw, () => begun.push(i));
    for (let i = 0; i < 4; i++) {
      counts.push(begun.length);
      await turn();
    }
    expect(counts).toEqual([3, 6, 8, 8]);
    expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    starts.begin(raw, () => begun.push(8));
    expect(begun.at(-1)).toBe(8);
  });

  it('answers all of very many requests in one write, in their order', async () => {
    const starts = new RequestStarts(2);
    const want = Array.from({ length: 500 }, (_, i) => String(i));
    const said = await exchange(
      (raw, response) => {
        starts.begin(raw, () => {
          response.end(`said ${String(raw.headers['x-number'])}\n`);
        });
      },
      want.map((i) => `GET / HTTP/1.1\r\nHost: x\r\nX-Number: ${i}\r\n\r\n`).join(''),
      want.length,
    );
    expect(said).toEqual(want);
  });
});

describe('a request that waited for its turn', () => {
  it('is read to the end of its body, which comes later', async () => {
    const starts = new RequestStarts(1);
    const server = createServer((raw, response) => {
      // Another takes the turn.
      starts.begin({ httpVersionMajor: 2 } as IncomingMessage, () => undefined);
      starts.begin(raw, () => {
        let bytes = 0;
        raw.on('data', (chunk: Buffer) => (bytes += chunk.length));
        raw.on('end', () => response.end(`said ${bytes}\n`));
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n');
    await once(server, 'request');
    socket.write('x'.repeat(300_000));
    try {
      await eventually(() => {
        expect(text).toContain('said 300000\n');
      });
    } finally {
      socket.destroy();
      server.close();
    }
  });
});

describe('paceChunks()', () => {
  it('loses nothing of a body of very many chunks', async () => {
    const chunks = 40_000;
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';
    const said = await exchange(
      (raw, response) => {
        paceChunks(raw);
        let bytes = 0;
        raw.on('data', (chunk: Buffer) => (bytes += chunk.length));
        raw.on('end', () => response.end(`said ${bytes}\n`));
      },
      `${head}${'1\r\nx\r\n'.repeat(chunks)}0\r\n\r\n`,
      1,
    );
    expect(said).toEqual([String(chunks)]);
  });
});
