// The programs that the tests need beside Node: etcd and kubectl, from the distribution when they are missing and we are root.
import { spawnSync } from 'node:child_process';
import { fail, say } from './checkout.mjs';

const has = (program, ...args) => spawnSync(program, args, { stdio: 'ignore' }).error === undefined;

const TOOLS = [
  {
    program: 'etcd',
    args: ['--version'],
    debian: 'etcd-server',
    fallback: process.env.ORRERY_ETCD_BIN,
  },
  { program: 'kubectl', args: ['version', '--client'], debian: 'kubernetes-client' },
];

function install(names) {
  say(`orrery: installing ${names.join(', ')} (apt-get install) …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const options = { stdio: ['ignore', 'ignore', 2], env };
  const first = spawnSync(
    'apt-get',
    ['install', '-y', '--no-install-recommends', ...names],
    options,
  );
  if (first.status === 0) return true;
  spawnSync('apt-get', ['update', '-q'], options);
  return (
    spawnSync('apt-get', ['install', '-y', '--no-install-recommends', ...names], options).status ===
    0
  );
}

/** Installs what is missing, or says exactly what to do. */
export function ensureTestTools() {
  const missing = TOOLS.filter((tool) => !tool.fallback && !has(tool.program, ...tool.args));
  if (missing.length === 0) return;
  const names = missing.map((tool) => tool.debian);
  const canInstall = process.getuid?.() === 0 && has('apt-get', '--version');
  if (canInstall && install(names) && missing.every((tool) => has(tool.program, ...tool.args)))
    return;
  fail(
    `the tests need ${missing.map((tool) => tool.program).join(' and ')}: install the Debian or Ubuntu package ${names.join(' and ')} (as root: apt-get install ${names.join(' ')}), or put the program on PATH`,
  );
}
