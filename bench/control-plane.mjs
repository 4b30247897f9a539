// A Deployment of 3,000 replicas on 500 bare nodes: our API server, controllers and scheduler beside upstream's three
// (KUBE_BIN_DIR; rate limits lifted), and beside upstream's two over our API server, in turn. BENCH_ROUNDS=5.
import { measureDeployment } from './control-plane/deployment.mjs';

await measureDeployment();
process.exit();
