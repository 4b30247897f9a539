// npm run fuzz -- --seconds N --seed S [--only NAME]: tries inputs of all sorts (test/fuzz) on what reads them.
import { runBundled } from './bundle-main.mjs';

await runBundled('fuzz', { external: ['fast-check'] });
