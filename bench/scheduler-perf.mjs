// Upstream's scheduler_perf cases at 1,000 and 5,000 nodes, our scheduler beside upstream's (KUBE_BIN_DIR), both over our
// API server, in turn. BENCH_NODES=1000,5000, BENCH_PODS=1000 measured, BENCH_CASES=NAME,…, BENCH_ROUNDS=1.
import { measurePerf } from './control-plane/scheduler-perf.mjs';

await measurePerf();
process.exit();
