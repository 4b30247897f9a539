import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import type { WebSocket } from 'ws';
import { answerPings } from './websocket-streams.js';

class FakeSocket extends EventEmitter {
  bufferedAmount = 0;
  isOpen = true;

  pong(payload: Buffer): void {
    this.bufferedAmount += payload.length;
  }

  terminate(): void {
    this.isOpen = false;
  }
}

describe('answerPings()', () => {
  it('ends a connection whose client reads no answer', () => {
    const socket = new FakeSocket();
    answerPings(socket as unknown as WebSocket);
    socket.emit('ping', Buffer.alloc(125));
    expect(socket).toMatchObject({ isOpen: true, bufferedAmount: 125 });
    for (let i = 0; i < 100_000 && socket.isOpen; i++) socket.emit('ping', Buffer.alloc(125));
    expect(socket.isOpen).toBe(false);
    expect(socket.bufferedAmount).toBeLessThan(2 * 2 ** 20);
  });
});
