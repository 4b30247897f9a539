// UPSTREAM_API=…/k8s.io/api npm run test:upstream-types: our types beside upstream's own test data (test/upstream-types).
import { runBundled } from './bundle-main.mjs';

await runBundled('upstream-types');
