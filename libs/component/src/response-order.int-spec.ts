import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { ResponseOrder } from './response-order.js';

const ask = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nhost: x\r\n${more}\r\n`;
const UPGRADE = ask('/upgrade', 'connection: upgrade\r\nupgrade: test\r\n');

describe('the order of answers on one connection', () => {
  let server: Server;
  let client: Socket;
  let answers: Map<string, ServerResponse>;
  let turns: boolean[];
  let heard: string;
  let upgraded: Promise<unknown>;

  beforeEach(async () => {
    answers = new Map();
    turns = [];
    heard = '';
    server = createServer((request, response) => {
      answers.set(request.url ?? '', response);
      server.emit('asked');
    });
    const order = new ResponseOrder(server);
    server.on('upgrade', (_request, socket: Socket) => {
      server.emit('wished');
      void order.turn(socket).then((mayAnswer) => {
        turns.push(mayAnswer);
        server.emit('turned');
        if (mayAnswer) socket.end('HTTP/1.1 404 upgraded\r\n\r\n');
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.on('data', (chunk: Buffer) => {
      heard += chunk.toString('latin1');
    });
    await once(client, 'connect');
    upgraded = once(server, 'wished');
  });
  afterEach(async () => {
    client.destroy();
    server.close();
    await once(server, 'close');
  });

  const asked = async (text: string): Promise<void> => {
    const known = once(server, 'asked');
    client.write(text);
    await known;
  };
  const names = (): string[] => [...heard.matchAll(/HTTP\/1\.1 \d+ (\w+)/g)].map(([, n = '']) => n);

  it('is that of the requests, however long the ones before an upgrade take', async () => {
    await asked(ask('/a'));
    await asked(ask('/b'));
    client.write(UPGRADE);
    await upgraded;
    answers.get('/b')?.writeHead(200, 'b').end('b');
    answers.get('/a')?.writeHead(200, 'a').end('a');
    await once(client, 'close');
    expect(names()).toEqual(['a', 'b', 'upgraded']);
    expect(turns).toEqual([true]);
  });

  it('lets an upgrade go on at once where nothing is owed', async () => {
    await asked(ask('/a'));
    answers.get('/a')?.writeHead(200, 'a').end('a');
    await once(client, 'data');
    client.write(UPGRADE);
    await once(client, 'close');
    expect(names()).toEqual(['a', 'upgraded']);
  });

  it('gives up an upgrade behind an answer that ends the connection', async () => {
    await asked(ask('/a'));
    client.write(UPGRADE);
    await upgraded;
    answers.get('/a')?.writeHead(200, 'a', { connection: 'close' }).end('a');
    await once(client, 'close');
    expect(names()).toEqual(['a']);
    expect(turns).toEqual([false]);
  });

  it('gives up an upgrade whose client has gone', async () => {
    await asked(ask('/a'));
    client.write(UPGRADE);
    await upgraded;
    const turned = once(server, 'turned');
    answers.get('/a')?.socket?.destroy();
    await turned;
    expect(turns).toEqual([false]);
  });

  it('lets large answers before an upgrade flow', async () => {
    await asked(ask('/a'));
    client.pause();
    client.write(UPGRADE);
    await upgraded;
    const response = answers.get('/a');
    response?.writeHead(200, 'a');
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    const wrote = (async () => {
      for (let i = 0; i < 20; i++)
        if (response?.write(chunk) === false) await once(response, 'drain');
      response?.end();
    })();
    client.resume();
    await wrote;
    await once(client, 'close');
    expect(heard.length).toBeGreaterThan(20 * 1024 * 1024);
    expect(names()).toEqual(['a', 'upgraded']);
  });
});
