// Whose controllers and scheduler are measured over whose API server, and with what each process starts.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const dist =
  process.env.ORRERY_DIST ??
  join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'dist');

const hasUpstream = (...names) =>
  Boolean(process.env.KUBE_BIN_DIR) &&
  names.every((name) => existsSync(join(process.env.KUBE_BIN_DIR, name)));

/** Upstream's programs, when KUBE_BIN_DIR names a folder with both. */
export const upstreamFolder = () =>
  hasUpstream('kube-controller-manager', 'kube-scheduler') ? process.env.KUBE_BIN_DIR : undefined;

export function upstreamVersion() {
  const folder = upstreamFolder();
  if (!folder) return 'none';
  const { stdout } = spawnSync(join(folder, 'kube-scheduler'), ['--version'], { encoding: 'utf8' });
  return stdout.trim().replace('Kubernetes ', '');
}

/**
 * Whose controllers and scheduler run over whose API server. `together` = which of ours share a process: `grouped` is how
 * `orrery up` runs them, `single` is `orrery up --grouping=single`; `orrery` has a process each, as upstream.
 */
export const SIDES = {
  orrery: { server: 'orrery', controlPlane: 'orrery' },
  grouped: { server: 'orrery', controlPlane: 'orrery', together: 'clients' },
  single: { server: 'orrery', controlPlane: 'orrery', together: 'all' },
  upstream: { server: 'upstream', controlPlane: 'upstream' },
  mixed: { server: 'orrery', controlPlane: 'upstream' },
  before: { server: 'orrery', controlPlane: 'orrery', dist: process.env.ORRERY_DIST_BEFORE },
  'grouped-before': {
    server: 'orrery',
    controlPlane: 'orrery',
    together: 'clients',
    dist: process.env.ORRERY_DIST_BEFORE,
  },
};

/** What `orrery up` starts its processes with. */
export const NODE_FLAGS = ['--max-semi-space-size=16'];
export const NODE_ENV = { MALLOC_MMAP_THRESHOLD_: '32768' };

/** BENCH_NODE_APISERVER and so on: flags of Node for one process; with _BEFORE behind, for the side `before` alone. */
export function nodeFlagsOf(name, side) {
  const variable = `BENCH_NODE_${name.toUpperCase().replaceAll('-', '_')}`;
  return (process.env[side.dist ? `${variable}_BEFORE` : variable] ?? '')
    .split(' ')
    .filter(Boolean);
}

/** Whether the API server of this build can serve what upstream's 1.20 scheduler asks for. */
function servesRemovedApis() {
  const { stdout } = spawnSync(process.execPath, [join(dist, 'kube-apiserver.js'), '--help'], {
    encoding: 'utf8',
  });
  return stdout.includes('--serve-removed-apis');
}

/** The sides to measure, and why one is missing. `wanted` names those that say something here. */
export function sidesToMeasure(wanted) {
  if (process.env.BENCH_SIDES) return process.env.BENCH_SIDES.split(',');
  const say = (text) => process.stdout.write(`${text}\n`);
  if (!upstreamFolder()) {
    say(
      'KUBE_BIN_DIR names no kube-controller-manager and kube-scheduler: upstream is not measured',
    );
    return ['orrery'];
  }
  return wanted.filter((side) => {
    const { server, controlPlane } = SIDES[side];
    if (server === 'upstream' && !hasUpstream('kube-apiserver')) {
      say('KUBE_BIN_DIR names no kube-apiserver: upstream as a whole is not measured');
      return false;
    }
    if (server === 'orrery' && controlPlane === 'upstream' && !servesRemovedApis()) {
      say("the API server does not serve policy/v1beta1: upstream's scheduler is not measured");
      return false;
    }
    return true;
  });
}
