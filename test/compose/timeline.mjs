// What happened when between `up` and Ready nodes, as the engine and the programs tell: where the seconds go.
import { spawnSync } from 'node:child_process';

/** Lines of logs that end a step of the start; of each the first and the last. */
const STEPS = {
  'API server serves': /"component":"kube-apiserver".*"msg":"serving"/,
  'leader of controllers': /"msg":"started leading".*kube-controller-manager/,
  'add-ons are there': /kube-proxy is installed/,
  'node asks for a certificate': /"msg":"asking for a client certificate"/,
  'node has its certificate': /"msg":"received a client certificate"/,
  'node is registered': /"msg":"node registered"/,
  'pods of a node are reached': /"to":"10\.244\..*"via":"this node","msg":"route set"/,
};

const docker = (...args) => spawnSync('docker', args, { encoding: 'utf8', maxBuffer: 1 << 28 });

/** Rows of [seconds since `startMs` of the epoch, what]. */
export function timeline(ids, startMs) {
  const since = (text) => (Date.parse(text) - startMs) / 1000;
  const format = '{{.Name}} {{.Created}} {{.State.StartedAt}} {{.State.FinishedAt}}';
  const containers = docker('inspect', '-f', format, ...ids)
    .stdout.trim()
    .split('\n');
  const rows = containers.flatMap((line) => {
    const [name, created, startedAt, finishedAt] = line.split(' ');
    const ended = since(finishedAt) > 0 ? [[since(finishedAt), `${name} has ended`]] : [];
    return [
      [since(created), `${name} is made`],
      [since(startedAt), `${name} is started`],
      ...ended,
    ];
  });
  const seen = Object.fromEntries(Object.keys(STEPS).map((step) => [step, []]));
  for (const id of ids) {
    const { stdout, stderr } = docker('logs', '-t', id);
    for (const line of (stdout + stderr).split('\n'))
      for (const [step, pattern] of Object.entries(STEPS))
        if (pattern.test(line)) seen[step].push(since(line.split(' ')[0]));
  }
  for (const [step, times] of Object.entries(seen)) {
    if (times.length > 0) rows.push([Math.min(...times), `${step} (first of ${times.length})`]);
    if (times.length > 1) rows.push([Math.max(...times), `${step} (last of ${times.length})`]);
  }
  return rows.toSorted(([a], [b]) => a - b);
}
