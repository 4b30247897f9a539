// Preloaded into a server under attack: on SIGUSR2, prints how long its event loop was held up since the last time: by
// the clock, and by the processor time that its thread spent from one turn to the next. A busy machine adds to the first only.
// With LOOP_PROFILE=1 it tells, too, which functions that longest turn was spent in, which costs time of its own; with
// LOOP_MEMORY=1, what of its memory is still in use once the garbage is gone.
import { Session } from 'node:inspector';

const TICK_MS = 1;
const PROFILED = process.env.LOOP_PROFILE === '1';
const COLLECTED = process.env.LOOP_MEMORY === '1';
const TOLD_FUNCTIONS = 24;

const now = () => process.hrtime.bigint();
const cpu = () => {
  const { user, system } = process.threadCpuUsage();
  return user + system;
};

const NONE = { maxMs: 0, cpuMs: 0, from: 0n, to: 0n };
let wall = now();
let spent = cpu();
let longest = NONE;
let session;

const startProfile = () => {
  session ??= new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.setSamplingInterval', { interval: 250 });
  session.post('Profiler.start');
};

/** A node of a profile and those that called it, each once. */
function callersOf(node, parents) {
  const names = new Set();
  for (let at = node; at; at = parents.get(at)) {
    const { functionName, url, lineNumber, columnNumber } = at.callFrame;
    names.add(
      `${functionName || '(anonymous)'} ${url.split('/').pop()}:${lineNumber + 1}:${columnNumber + 1}`,
    );
  }
  return [...names];
}

/** Milliseconds with and without what they call of the functions of the samples in that time. */
function functionsBetween({ nodes, samples, timeDeltas, startTime }, from, to) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(
    nodes.flatMap((node) => (node.children ?? []).map((child) => [byId.get(child), node])),
  );
  const [total, self] = [new Map(), new Map()];
  const add = (map, name, us) => map.set(name, (map.get(name) ?? 0) + us / 1e3);
  let at = startTime;
  samples.forEach((id, i) => {
    at += timeDeltas[i];
    if (at < Number(from / 1000n) || at > Number(to / 1000n)) return;
    const names = callersOf(byId.get(id), parents);
    add(self, names[0], timeDeltas[i + 1] ?? 0);
    for (const name of names) add(total, name, timeDeltas[i + 1] ?? 0);
  });
  return [...total]
    .sort(([, a], [, b]) => b - a)
    .slice(0, TOLD_FUNCTIONS)
    .map(([name, ms]) => [ms, self.get(name) ?? 0, name]);
}

setInterval(() => {
  const [at, used] = [now(), cpu()];
  if ((used - spent) / 1e3 > longest.cpuMs)
    longest = { ...longest, cpuMs: (used - spent) / 1e3, from: wall, to: at };
  longest.maxMs = Math.max(longest.maxMs, Number(at - wall) / 1e6 - TICK_MS);
  wall = at;
  spent = used;
}, TICK_MS).unref();

/** Megabytes of each sort of memory; `heapUsed` and `external` count what is in use only where the garbage was collected. */
function memory() {
  if (COLLECTED) {
    const collector = new Session();
    collector.connect();
    collector.post('HeapProfiler.collectGarbage');
    collector.disconnect();
  }
  return Object.fromEntries(
    Object.entries(process.memoryUsage()).map(([sort, bytes]) => [sort, bytes / 2 ** 20]),
  );
}

function tell(functions) {
  const { maxMs, cpuMs } = longest;
  const told = { maxMs, cpuMs, functions, memory: memory() };
  process.stderr.write(`loop-delay ${JSON.stringify(told)}\n`);
  longest = NONE;
  [wall, spent] = [now(), cpu()];
}

process.on('SIGUSR2', () => {
  if (!PROFILED) return tell([]);
  if (!session) {
    startProfile();
    return tell([]);
  }
  session.post('Profiler.stop', (_error, result) => {
    const functions = functionsBetween(result.profile, longest.from, longest.to);
    session.post('Profiler.start');
    tell(functions);
  });
});
