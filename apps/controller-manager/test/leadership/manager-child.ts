import { app } from '../../src/index.js';

/** A controller manager in a process of its own, which can be killed. */
await app.run(process.argv.slice(2), { signal: new AbortController().signal });
