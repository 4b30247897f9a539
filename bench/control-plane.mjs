// The control plane beside upstream's kube-controller-manager and kube-scheduler (KUBE_BIN_DIR; rate limits lifted), both over
// our API server, in turn. BENCH_TASK picks among: deployment (3,000 replicas on 500 bare nodes), perf (upstream's
// scheduler_perf cases at 1,000 and 5,000 nodes), running (10,000 pods on 1,000 hollow nodes). BENCH_ROUNDS=5.
import { measureDeployment } from './control-plane/deployment.mjs';
import { measurePerf } from './control-plane/scheduler-perf.mjs';
import { measureRunning } from './control-plane/running.mjs';

const TASKS = { deployment: measureDeployment, perf: measurePerf, running: measureRunning };

const wanted = (process.env.BENCH_TASK ?? 'deployment').split(',');
for (const name of wanted) {
  const task = TASKS[name];
  if (!task) {
    process.stderr.write(`bench: BENCH_TASK is one of ${Object.keys(TASKS).join(', ')}\n`);
    process.exit(2);
  }
  await task();
}
process.exit();
