// Upstream's e2e.test of 1.25 and later (Ginkgo 2) as a list of specs and as a run of some of them by the `ginkgo` beside it,
// which shares them among processes.
import { spawn } from 'node:child_process';
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const SETUPS = new Set(['SynchronizedBeforeSuite', 'BeforeSuite']);

const nameOf = ({ ContainerHierarchyTexts, LeafNodeText }) =>
  [...(ContainerHierarchyTexts ?? []), LeafNodeText].filter(Boolean).join(' ');

const escaped = (name) => name.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);

function outcomeOf(state) {
  if (state === 'passed') return 'passed';
  return state === 'skipped' || state === 'pending' ? 'skipped' : 'failed';
}

function ended(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
}

/** What Ginkgo reports of one suite (ginkgo 2 types:Report). */
const specsOf = (file) =>
  JSON.parse(readFileSync(file, 'utf8')).flatMap((suite) => suite.SpecReports ?? []);

/** The names of all specs of `program` that `focus` accepts. */
export async function listSpecs(program, focus) {
  const folder = mkdtempSync(join(tmpdir(), 'orrery-specs-'));
  try {
    const report = join(folder, 'report.json');
    const args = ['--ginkgo.dry-run', `--ginkgo.focus=${focus}`, `--ginkgo.json-report=${report}`];
    await ended(spawn(program, [...args, '--provider=skeleton'], { stdio: 'ignore' }));
    const specs = specsOf(report).filter(
      ({ LeafNodeType, State }) => LeafNodeType === 'It' && State === 'passed',
    );
    return [...new Set(specs.map(nameOf))].sort();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function resultOf(spec) {
  return {
    name: nameOf(spec),
    outcome: outcomeOf(spec.State),
    seconds: spec.RunTime / 1e9,
    message: spec.Failure?.Message ?? '',
    output: `${spec.CapturedGinkgoWriterOutput ?? ''}${spec.CapturedStdOutErr ?? ''}`,
  };
}

/**
 * Runs the named specs in `processes` processes; resolves to one result a spec: {name, outcome, seconds, message, output}.
 * Results are told when all have ended; until then `folder`/NAME.log has what Ginkgo says.
 */
export async function runSpecs(
  names,
  { program, args, processes, folder, label, env, signal, onResult },
) {
  const report = `${label}.json`;
  const child = spawn(
    join(dirname(program), 'ginkgo'),
    [
      'run',
      `--procs=${processes}`,
      `--focus=${names.map((name) => `${escaped(name)}$`).join('|')}`,
      '--no-color',
      '-v',
      `--output-dir=${folder}`,
      `--json-report=${report}`,
      // Its own limit of an hour is less than a busy machine takes.
      '--timeout=24h',
      program,
      '--',
      ...args,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env },
  );
  const log = createWriteStream(join(folder, `${label}.log`));
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const stop = () => child.kill('SIGINT');
  signal.addEventListener('abort', stop, { once: true });
  await ended(child);
  signal.removeEventListener('abort', stop);
  const all = specsOf(join(folder, report));
  const wanted = new Set(names);
  const results = all
    .filter(
      ({ LeafNodeType, State, Failure }) =>
        LeafNodeType === 'It' && (State !== 'skipped' || Failure?.Message),
    )
    .map(resultOf)
    .filter(({ name }) => wanted.has(name));
  const setup = all.find(
    ({ LeafNodeType, Failure }) => SETUPS.has(LeafNodeType) && Failure?.Message,
  );
  const judged = new Set(results.map(({ name }) => name));
  for (const name of names)
    if (!judged.has(name))
      results.push({
        name,
        outcome: 'failed',
        seconds: 0,
        message: setup?.Failure.Message ?? 'never ran',
        output: '',
      });
  for (const result of results) onResult(result);
  return results;
}
