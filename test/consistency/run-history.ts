import type { CheckResult, History, Verdict } from '@orrery/checker';
import { HistoryRecorder, checkHistory, overallVerdict } from '@orrery/checker';
import type { Random } from '@orrery/component';
import { SystemClock } from '@orrery/component';
import type { Cluster } from './cluster/cluster.js';
import type { FaultKind } from './faults/fault.js';
import { cleanNamespaces } from './load/clean.js';
import { Fence } from './load/fence.js';
import { GroundTruth } from './load/ground-truth.js';
import { HttpSession } from './load/http-session.js';
import { Observers } from './load/observers.js';
import { RecordingClient } from './load/recording-client.js';
import { Workload } from './load/workload.js';
import { checkRefusedWrites } from './refused-writes.js';
import type { StateCoverage } from './report/state-coverage.js';

export interface HistoryPlan {
  readonly seed: number;
  readonly random: Random;
  readonly fault: FaultKind;
  /** Undisturbed load before and after the fault. */
  readonly loadMs: number;
  readonly holdMs: number;
  readonly clients: number;
  readonly coverage: StateCoverage;
  /** How long watchers and informers may take to see the last writes. Default 15,000. */
  readonly drainMs?: number;
  /** Replaces the servers' addresses: what controls put between. */
  readonly servers?: readonly string[];
}

/** What came of one history. `void` = it saw too little to say anything. */
export interface HistoryResult {
  readonly history: History;
  readonly results: readonly CheckResult[];
  readonly verdict: Verdict | 'void';
  readonly voidReason?: string;
  readonly fault: string;
  readonly seed: number;
  /** For each informer: how long after the fault its store had everything that was written until then. */
  readonly convergenceMs: readonly number[];
}

/** Fewer answered operations than this before, or from the fault on, make a history void. */
const LEAST_OPERATIONS = 40;
const ENOUGH_OPERATIONS = 60;
/** In multiples of the time that was asked for. */
const LONGEST_LOAD = 5;
const CONVERGENCE_MS = 20_000;
const clock = new SystemClock();

/** One history on a running cluster: load, a fault in its middle, quiet, and the checkers' verdict. */
export async function runHistory(cluster: Cluster, plan: HistoryPlan): Promise<HistoryResult> {
  const servers = plan.servers ?? cluster.servers.map(({ url }) => url);
  await cleanNamespaces(cluster);
  const { timers } = cluster.etcd;
  const recorder = new HistoryRecorder({
    now: () => process.hrtime.bigint(),
    labels: {
      seed: String(plan.seed),
      fault: plan.fault.name,
      etcd: cluster.etcdVersion,
      timers: `${timers.heartbeatMs}/${timers.electionMs} ms`,
      reads: cluster.servers.map(({ reads }) => reads).join(','),
    },
  });
  const gateways = cluster.etcd.members.map(({ gateway }) => gateway);
  const truth = await GroundTruth.start(gateways, recorder);
  const contiguousFrom = truth.revision + 1;
  const observers = new Observers({ ...plan, recorder, servers });
  const clients = new Clients(plan, recorder, servers);
  try {
    observers.start();
    clients.start();
    await clients.work(plan.loadMs);
    const convergenceMs = await disturb(cluster, { plan, recorder, truth, observers });
    await clients.work(plan.loadMs);
    await clients.end();
    const fence = await Fence.write({ recorder, servers, random: plan.random });
    await truth.drain();
    const stuck = await observers.end(fence);
    recorder.coverage({ complete: true, contiguousFrom });
    return judge(recorder.history(), plan, { convergenceMs, stuck });
  } finally {
    truth.end();
    await Promise.all([clients.end(), observers.abort()]);
  }
}

interface Disturbed {
  readonly plan: HistoryPlan;
  readonly recorder: HistoryRecorder;
  readonly truth: GroundTruth;
  readonly observers: Observers;
}

async function disturb(
  cluster: Cluster,
  { plan, recorder, truth, observers }: Disturbed,
): Promise<readonly number[]> {
  const endFault = recorder.fault(plan.fault.name);
  await plan.fault.run({
    cluster,
    random: plan.random,
    holdMs: plan.holdMs,
    recordedTo: () => truth.revision,
  });
  endFault();
  return observers.measureConvergence(truth.revision, CONVERGENCE_MS);
}

/** The recording clients of one history. */
class Clients {
  private readonly stop = new AbortController();
  private readonly sessions: HttpSession[] = [];
  private readonly runners: RecordingClient[] = [];
  private running: Promise<unknown> = Promise.resolve();

  constructor(plan: HistoryPlan, recorder: HistoryRecorder, servers: readonly string[]) {
    for (let i = 1; i <= plan.clients; i++) {
      const name = `c${i}`;
      const session = new HttpSession(name, plan.coverage);
      this.sessions.push(session);
      this.runners.push(
        new RecordingClient({
          name,
          session,
          recorder,
          workload: new Workload(name, plan.random),
          random: plan.random,
          servers: () => servers,
          timeoutMs: 3000,
        }),
      );
    }
  }

  start(): void {
    this.running = Promise.all(this.runners.map((runner) => runner.run(this.stop.signal)));
  }

  /** Resolves after the time; on a busy machine later, when there was some load. */
  async work(loadMs: number): Promise<void> {
    const [answered, start] = [this.answered, clock.monotonic()];
    await clock.sleep(loadMs);
    while (
      this.answered - answered < ENOUGH_OPERATIONS &&
      clock.monotonic() - start < LONGEST_LOAD * loadMs
    )
      await clock.sleep(50);
  }

  private get answered(): number {
    return this.runners.reduce((sum, { answered }) => sum + answered, 0);
  }

  /** Resolves when the last operation has ended. */
  async end(): Promise<void> {
    this.stop.abort();
    await this.running;
    for (const session of this.sessions) session.close();
  }
}

function judge(
  history: History,
  plan: HistoryPlan,
  { convergenceMs, stuck }: { convergenceMs: readonly number[]; stuck: readonly string[] },
): HistoryResult {
  const results = [
    ...checkHistory(history, { now: () => performance.now() }),
    checkRefusedWrites(history),
    ...(stuck.length > 0 ? [toStuck(stuck)] : []),
  ];
  const verdict = overallVerdict(results);
  const voidReason = findVoid(history);
  // A history in which something impossible was seen says enough, however short it is.
  const isVoid = voidReason !== undefined && verdict === 'ok';
  return {
    history,
    results,
    verdict: isVoid ? 'void' : verdict,
    ...(isVoid ? { voidReason } : {}),
    fault: plan.fault.name,
    seed: plan.seed,
    convergenceMs,
  };
}

/** No validator sees a watch that could not be opened any more. */
function toStuck(watchers: readonly string[]): CheckResult {
  const violations = watchers.map((observer) => ({
    checker: 'watch' as const,
    rule: 'stuck',
    message: `watcher ${observer} never saw the last writes`,
    observer,
  }));
  const notes = ['watchers that never saw the last writes'];
  return { checker: 'watch', verdict: 'illegal', violations, checked: watchers.length, notes };
}

function findVoid({ operations, faults, watches }: History): string | undefined {
  const [fault] = faults;
  if (!fault) return 'no fault';
  const ok = operations.filter(({ outcome }) => outcome === 'ok');
  const before = ok.filter(({ call }) => call < fault.from).length;
  const after = ok.filter(({ call }) => call >= fault.from).length;
  const events = watches.reduce((sum, { responses }) => sum + responses.length, 0);
  if (before < LEAST_OPERATIONS) return `only ${before} operations before the fault`;
  if (after < LEAST_OPERATIONS) return `only ${after} operations from the fault on`;
  return events < LEAST_OPERATIONS ? `only ${events} watch events` : undefined;
}
