// npm run check:consistency: runs test/consistency on the built API server.
import { runBundled } from './bundle-main.mjs';
import { dist, root } from './checkout.mjs';

await runBundled('consistency', {
  external: ['@jest/globals'],
  env: { ORRERY_ROOT: root, ORRERY_DIST: dist },
});
