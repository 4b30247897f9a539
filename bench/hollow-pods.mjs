// 10,000 pods Running on 1,000 hollow nodes: real kubelets and pod workers over a runtime in memory, our controllers and
// scheduler; nothing is stamped. BENCH_NODES, BENCH_PODS, BENCH_ROUNDS=3.
import { measureRunning } from './control-plane/running.mjs';

await measureRunning();
process.exit();
