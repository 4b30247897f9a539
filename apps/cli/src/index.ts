/** The `orrery` program as a component. */
import type { ComponentApp } from '@orrery/component';
import { program } from './program.js';

/** Aborts when whoever reads the standard output has gone, as `head` does when it has enough. */
function unreadSignal(): AbortSignal {
  const unread = new AbortController();
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    unread.abort(error);
  });
  return unread.signal;
}

export const app: ComponentApp = {
  name: 'orrery',
  run: async (argv, { signal }) => {
    const unread = unreadSignal();
    await program(argv, AbortSignal.any([signal, unread]), (text) => {
      if (!unread.aborted) process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
    });
  },
};
