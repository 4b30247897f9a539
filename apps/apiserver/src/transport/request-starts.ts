import type { IncomingMessage } from 'node:http';
import { hold, release } from './held-sockets.js';

/** Requests that begin in one turn of the event loop. */
const MOST_STARTS = 32;

/**
 * Lets requests begin at once, but no more than some in one turn: the others wait for theirs, in the order in which they came. A
 * connection of HTTP/1.1 whose requests wait is not read meanwhile, so that it cannot heap up more of them.
 */
export class RequestStarts {
  private begun = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly most = MOST_STARTS) {}

  begin(raw: IncomingMessage, run: () => void): void {
    if (this.begun < this.most && this.waiting.length === 0) {
      this.count();
      run();
      return;
    }
    const { socket, httpVersionMajor } = raw;
    if (httpVersionMajor > 1) {
      this.waiting.push(run);
      return;
    }
    hold(socket);
    this.waiting.push(() => {
      // Its body may be yet to come.
      release(socket);
      run();
    });
  }

  private count(): void {
    this.begun += 1;
    if (this.begun === 1) setImmediate(this.nextTurn);
  }

  private readonly nextTurn = (): void => {
    this.begun = 0;
    while (this.begun < this.most) {
      const run = this.waiting.shift();
      if (!run) return;
      this.count();
      run();
    }
  };
}
