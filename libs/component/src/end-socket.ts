import type { Duplex } from 'node:stream';

/** How long the other side may take to end, too, once it has been told all. */
const LINGER_MS = 1_000;

/**
 * Says the last words on a connection that is no longer HTTP's, and ends it. What the other side still says is passed over: a
 * socket whose data nobody reads would never close, whoever goes.
 */
export function endSocket(socket: Duplex, words: string | Uint8Array): void {
  socket.resume();
  socket.end(words, () => {
    // By the machine's time, whatever clock a cluster has: the other side is on no clock of ours.
    const over = AbortSignal.timeout(LINGER_MS);
    const close = (): void => {
      socket.destroy();
    };
    over.addEventListener('abort', close, { once: true });
    socket.once('close', () => {
      over.removeEventListener('abort', close);
    });
  });
}
