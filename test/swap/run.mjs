// npm run test:swap [-- NAME…]: the same checks on clusters in which upstream's programs take the places of ours (KUBE_BIN_DIR; see
// prepare.mjs), and on an upstream API server. Prints a table; names of combinations (A, B …) or parts of checks' names narrow it.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { clusterChecks } from './cluster-checks.mjs';
import { Kube } from './kube.mjs';
import { checkData } from './data-checks.mjs';
import { schedulingChecks } from './scheduling-checks.mjs';
import { closeStands, clusterOfOurs, clusterOnUpstream, programIn } from './stands.mjs';
import { workloadChecks } from './workload-checks.mjs';

const folder = process.env.KUBE_BIN_DIR ?? '';
/** Checks that run at once; fewer on a busy machine. */
const WORKERS = Number(process.env.SWAP_WORKERS ?? '8');
const CHECKS = [...workloadChecks, ...clusterChecks, ...schedulingChecks];

const CONTROLLERS = 'kube-controller-manager';
const SCHEDULER = 'kube-scheduler';
const API = 'kube-apiserver';

const COMBINATIONS = [
  { id: 'A', title: 'all ours', needs: [], open: () => clusterOfOurs(folder, []) },
  {
    id: 'B',
    title: "upstream's controllers",
    needs: [CONTROLLERS],
    open: () => clusterOfOurs(folder, [CONTROLLERS]),
  },
  {
    id: 'C',
    title: "upstream's scheduler",
    needs: [SCHEDULER],
    open: () => clusterOfOurs(folder, [SCHEDULER]),
  },
  {
    id: 'D',
    title: "upstream's controllers and scheduler",
    needs: [CONTROLLERS, SCHEDULER],
    open: () => clusterOfOurs(folder, [CONTROLLERS, SCHEDULER]),
  },
  {
    id: 'E',
    title: "ours on upstream's API server, nodes without processes",
    needs: [API],
    open: () => clusterOnUpstream(folder, { controllers: 'ours', scheduler: 'ours' }),
  },
  {
    id: 'F',
    title: "upstream's three, nodes without processes",
    needs: [API, CONTROLLERS, SCHEDULER],
    open: () => clusterOnUpstream(folder, { controllers: 'upstream', scheduler: 'upstream' }),
  },
];

const say = (text) => process.stdout.write(`${text}\n`);

async function runCheck(check, kube, facts, namespace) {
  const from = performance.now();
  const result = await attempt(check, kube, facts, namespace);
  const seconds = ((performance.now() - from) / 1000).toFixed(1);
  say(`swap: ${result.outcome.padEnd(6)} ${seconds.padStart(5)} s  ${check.name}`);
  if (result.text) say(`      ${result.text.slice(0, 1500)}`);
  return result;
}

async function attempt(check, kube, facts, namespace) {
  if (check.needsProcesses && !facts.hasProcesses) return { name: check.name, outcome: '–' };
  try {
    await kube.run(`create ns ${namespace}`);
    const inside = kube.in(namespace);
    await inside.reaches('sa/default', () => true);
    await check.run(inside, facts);
    return { name: check.name, outcome: 'ok' };
  } catch (error) {
    return { name: check.name, outcome: 'FAILED', text: error.message };
  } finally {
    await kube.attempt(`delete ns ${namespace} --wait=false`);
  }
}

async function runChecks(checks, kubeconfig, facts) {
  const kube = new Kube(kubeconfig);
  const results = [];
  const numbered = checks.map((check, index) => ({ check, namespace: `swap-${index}` }));
  const queue = numbered.filter(({ check }) => !check.alone);
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift())
      results.push(await runCheck(next.check, kube, facts, next.namespace));
  };
  await Promise.all(Array.from({ length: WORKERS }, worker));
  for (const { check, namespace } of numbered.filter(({ check }) => check.alone))
    results.push(await runCheck(check, kube, facts, namespace));
  return results;
}

/**
 * Errors that upstream's programs log on upstream's API server too: conflicts, namespaces that begin or end, no cloud, and
 * repeated events of schedulers before 1.27, whose first series counts 1.
 */
const USUAL = new RegExp(
  [
    'object has been modified',
    'being terminated',
    'service ?account.* not found',
    'caches not synchronized',
    'StorageError: invalid object',
    'not found( \\(will not retry!\\))?$',
    'unexpected items still remain in namespace',
    'no cloud provider provided',
    'series.count: Invalid value',
  ].join('|'),
);

const errorsIn = (log) =>
  log.split('\n').filter((line) => /^E\d{4} /.test(line) && !USUAL.test(line));

async function measure(combination, checks) {
  const opened = await combination.open().catch((error) => error);
  if (opened instanceof Error) {
    say(`swap: ${combination.id} does not come up: ${opened.message}`);
    return { results: checks.map(({ name }) => ({ name, outcome: 'FAILED' })), errors: [] };
  }
  const { stand, kubeconfig, facts } = opened;
  try {
    const results = await runChecks(checks, kubeconfig, facts);
    const errors = [CONTROLLERS, SCHEDULER, API].flatMap((name) =>
      stand.children.has(name) ? errorsIn(stand.log(name)).map((line) => `${name}: ${line}`) : [],
    );
    return { results, errors };
  } finally {
    await stand.close();
  }
}

/** Go prints whole objects before it says what is wrong with them. */
const abridged = (line) =>
  line.length < 800 ? line : `${line.slice(0, 200)} … ${line.slice(-500)}`;

const versionOf = (name) =>
  programIn(folder, name)
    ? spawnSync(join(folder, name), ['--version'], { encoding: 'utf8' }).stdout.trim()
    : 'not there';

function printTable(checks, columns) {
  const width = Math.max(...checks.map(({ name }) => name.length));
  say(['check'.padEnd(width), ...columns.map(({ id }) => id.padEnd(6))].join('  '));
  for (const { name } of checks) {
    const cells = columns.map(
      ({ results }) => results.find((one) => one.name === name)?.outcome ?? '',
    );
    say([name.padEnd(width), ...cells.map((cell) => cell.padEnd(6))].join('  '));
  }
  for (const { id, title } of columns) say(`${id}: ${title}`);
  say('–: needs containers that end by themselves with an error');
}

function narrowed(words) {
  const ids = words.filter((word) => word === 'G' || COMBINATIONS.some(({ id }) => id === word));
  const names = words.filter((word) => !ids.includes(word));
  return {
    combinations: COMBINATIONS.filter(({ id }) => ids.length === 0 || ids.includes(id)),
    checks: CHECKS.filter(
      ({ name }) => names.length === 0 || names.some((one) => name.includes(one)),
    ),
  };
}

/** G: each API server opens what the other has stored. */
async function exchangeData(words) {
  if (words.length > 0 && !words.includes('G')) return [];
  const title = 'data of ours under an upstream API server, and back';
  if (!programIn(folder, API)) {
    say(`swap: G (${title}) not run: KUBE_BIN_DIR has no ${API}`);
    return [];
  }
  const found = await checkData(folder).catch((error) => [
    { name: title, outcome: 'FAILED', text: error.message },
  ]);
  for (const { name, text } of found.filter(({ outcome }) => outcome === 'FAILED'))
    say(`swap: G: ${name}: ${text.slice(0, 600)}`);
  say(
    `G: ${title}: ${found.filter(({ outcome }) => outcome === 'ok').length} of ${found.length} kinds and directions`,
  );
  return found;
}

for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => void closeStands().finally(() => process.exit(130)));
const { combinations, checks } = narrowed(process.argv.slice(2));
say(
  `swap: ${[API, CONTROLLERS, SCHEDULER].map((name) => `${name} ${versionOf(name)}`).join(', ')}`,
);
const columns = [];
for (const combination of combinations) {
  const missing = combination.needs.filter((name) => !programIn(folder, name));
  if (missing.length > 0) {
    say(
      `swap: ${combination.id} (${combination.title}) not run: KUBE_BIN_DIR has no ${missing.join(', ')}`,
    );
    continue;
  }
  say(`swap: ${combination.id}: ${combination.title}`);
  const { results, errors } = await measure(combination, checks);
  columns.push({ ...combination, results });
  for (const line of errors.slice(0, 20)) say(`swap: ${combination.id}: ${abridged(line)}`);
  say(
    `swap: ${combination.id}: ${results.filter(({ outcome }) => outcome === 'ok').length} of ${results.length} passed, ${errors.length} errors logged by upstream's programs`,
  );
}
if (columns.length > 0) printTable(checks, columns);
const results = [
  ...columns.flatMap((column) => column.results),
  ...(await exchangeData(process.argv.slice(2))),
];
const failed = results.some(({ outcome }) => outcome === 'FAILED');
process.exitCode = failed ? 1 : 0;
