// Upstream's e2e.test as a list of specs and as processes that run some of them.
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { GinkgoServer } from './ginkgo-server.mjs';

const PASSED = 3;
const SKIPPED = 2;
const SEED = 1;

export const nameOf = ({ ComponentTexts }) => ComponentTexts.filter(Boolean).slice(1).join(' ');

const escaped = (name) => name.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);

function outcomeOf(state) {
  if (state === PASSED) return 'passed';
  return state <= SKIPPED ? 'skipped' : 'failed';
}

function ended(child) {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ error }));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
}

/** The names of all specs of `program` that `matches` accepts. */
export async function listSpecs(program, focus) {
  const names = new Set();
  const server = new GinkgoServer({
    onSpec: (summary) => {
      if (summary.State === PASSED) names.add(nameOf(summary));
    },
  });
  await server.listen();
  const args = [
    '--ginkgo.dryRun',
    `--ginkgo.focus=${focus}`,
    `--ginkgo.parallel.streamhost=${server.address}`,
    '--ginkgo.parallel.total=1',
  ];
  const child = spawn(program, [...args, '--provider=skeleton'], { stdio: 'ignore' });
  const { error } = await ended(child);
  server.close();
  if (error) throw error;
  return [...names].sort();
}

/**
 * Runs the named specs in `processes` processes; resolves to one result a spec: {name, outcome, seconds, message, output}.
 * Each process writes what it says to `folder`/NAME-n.log.
 */
export async function runSpecs(
  names,
  { program, args, processes, folder, label, env, signal, onResult },
) {
  const results = new Map();
  const wanted = new Set(names);
  const setups = [];
  const server = new GinkgoServer({
    onSpec: (summary) => {
      const name = nameOf(summary);
      const outcome = outcomeOf(summary.State);
      if (!wanted.has(name) || (outcome === 'skipped' && !summary.Failure?.Message)) return;
      const result = {
        name,
        outcome,
        seconds: summary.RunTime / 1e9,
        message: summary.Failure?.Message ?? '',
        output: summary.CapturedOutput ?? '',
      };
      results.set(name, result);
      onResult(result);
    },
    onSetup: (summary) => {
      if (summary && summary.State !== PASSED) setups.push(summary.Failure.Message);
    },
  });
  await server.listen();
  const children = Array.from({ length: processes }, (_, index) => {
    const number = index + 1;
    const child = spawn(
      program,
      [
        `--ginkgo.focus=${names.map((name) => `${escaped(name)}$`).join('|')}`,
        // All processes number the specs in the same order.
        `--ginkgo.seed=${SEED}`,
        `--ginkgo.parallel.node=${number}`,
        `--ginkgo.parallel.total=${processes}`,
        `--ginkgo.parallel.synchost=${server.address}`,
        `--ginkgo.parallel.streamhost=${server.address}`,
        ...args,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], env },
    );
    const log = createWriteStream(join(folder, `${label}-${number}.log`));
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    server.alive.add(number);
    return { child, number };
  });
  const stop = () => {
    for (const { child } of children) child.kill('SIGTERM');
  };
  signal.addEventListener('abort', stop, { once: true });
  await Promise.all(
    children.map(async ({ child, number }) => {
      await ended(child);
      server.alive.delete(number);
    }),
  );
  signal.removeEventListener('abort', stop);
  server.close();
  for (const name of names)
    if (!results.has(name))
      results.set(name, {
        name,
        outcome: 'failed',
        seconds: 0,
        message: setups[0] ?? 'never ran',
        output: '',
      });
  return [...results.values()];
}
