import type { Logger } from '@orrery/component';
import { offerHandles, takeHandles } from '@orrery/dataplane';
import type {
  CounterName,
  Dataplane,
  FrontendProblem,
  RuleChanges,
  RuleSet,
  RuledConnection,
  RuleView,
} from '@orrery/dataplane';
import { NO_POLICIES, PolicyEvaluator } from '@orrery/network-policy';
import type { PolicySet } from '@orrery/network-policy';
import { mergeViews } from './merge-views.js';
import type { Worker } from './worker.js';

/**
 * The processes that hold one host's listeners: this one, and workers that share its ports. What is programmed goes to
 * all of them before it is answered, so that no process still chooses what has been removed.
 */
export class Fleet {
  private readonly workers = new Set<Worker>();
  private current: PolicySet = NO_POLICIES;
  private turn: Promise<unknown> = Promise.resolve();

  private relayed = 0;
  private isReleased = false;
  private giveUp: () => void = () => undefined;
  private readonly untilReleased = new Promise<void>((resolve) => {
    this.giveUp = resolve;
  });

  private callOff: () => void = () => undefined;

  constructor(
    private readonly dataplane: Dataplane,
    private readonly logger: Logger,
    /** Where this process offers its sockets. */
    private readonly place: string,
  ) {}

  replace(set: RuleSet): Promise<readonly FrontendProblem[]> {
    return this.inOrder(async () => {
      const [problems] = await Promise.all([
        this.dataplane.replace(set),
        this.everywhere((worker) => worker.client.replace(set)),
      ]);
      return problems;
    });
  }

  /** Undefined when the node's rules are not known. */
  change(node: string, changes: RuleChanges): Promise<readonly FrontendProblem[] | undefined> {
    return this.inOrder(async () => {
      const own = this.dataplane.change(node, changes);
      if (!own) return undefined;
      await this.everywhere((worker) => worker.client.change(node, changes));
      return own;
    });
  }

  /** The NetworkPolicies in force. */
  get policies(): PolicySet {
    return this.current;
  }

  /** NetworkPolicies for every process; a new set takes the place of the one before. */
  async setPolicies(set: PolicySet): Promise<void> {
    await this.inOrder(async () => {
      this.current = set;
      this.dataplane.setPolicy(new PolicyEvaluator(set));
      await this.everywhere((worker) => worker.client.setPolicies(set));
    });
  }

  /** Gives a worker the rules in force; from then on it is programmed with the others. */
  async add(worker: Worker): Promise<void> {
    await this.inOrder(async () => {
      await worker.client.setPolicies(this.current);
      for (const set of this.dataplane.sets()) await worker.client.replace(set);
      this.workers.add(worker);
    });
    void worker.gone.then(() => this.workers.delete(worker));
  }

  get size(): number {
    return 1 + this.workers.size;
  }

  /** Whether this process holds connections, or has had new ones since it was last asked. */
  relays(): boolean {
    const { tcpConnections, udpSessions } = this.dataplane.counters;
    const before = this.relayed;
    this.relayed = tcpConnections + udpSessions;
    return this.relayed > before || this.dataplane.connections().length > 0;
  }

  async view(): Promise<readonly RuleView[]> {
    const others = await this.ask((worker) => worker.client.view());
    return mergeViews([this.dataplane.view(), ...others]);
  }

  async connections(): Promise<readonly RuledConnection[]> {
    const others = await this.ask((worker) => worker.client.connections());
    return [...this.dataplane.connections(), ...others.flat()];
  }

  async counters(): Promise<Readonly<Record<CounterName, number>>> {
    const total = this.dataplane.counters.snapshot();
    for (const one of await this.ask((worker) => worker.client.counters()))
      for (const key of Object.keys(total) as CounterName[]) total[key] += one[key] ?? 0;
    return total;
  }

  sets(): readonly RuleSet[] {
    return this.dataplane.sets();
  }

  /** Each process offers the sockets on which it listens to a successor; answers where. */
  async offer(): Promise<readonly string[]> {
    this.callOff();
    this.callOff = offerHandles(this.place, this.dataplane.handles());
    const others = await this.ask((worker) => worker.client.offers());
    return [this.place, ...others.flat()];
  }

  /** Takes what a predecessor's processes offer; what cannot be had is opened anew. */
  async inherit(places: readonly string[]): Promise<void> {
    for (const place of places)
      try {
        this.dataplane.inherit(await takeHandles(place));
      } catch (error) {
        this.logger.warn('listeners could not be taken over', { place, reason: String(error) });
      }
  }

  /** Every process takes no new connection for good: a successor has taken over. */
  async release(): Promise<void> {
    this.isReleased = true;
    this.callOff();
    await this.dataplane.closeListeners();
    await this.everywhere((worker) => worker.client.release());
    this.giveUp();
  }

  /** Resolves when a successor has taken over. */
  get released(): Promise<void> {
    return this.untilReleased;
  }

  /** Tries again to open what could not be bound, in this process. */
  retry(): Promise<readonly FrontendProblem[]> {
    return this.inOrder(() => this.dataplane.retry());
  }

  /** Closes what was inherited and nobody wanted. */
  settled(): void {
    this.dataplane.dropInherited();
  }

  async stop(): Promise<void> {
    this.callOff();
    await Promise.all([...this.workers].map((worker) => worker.stop()));
  }

  private async inOrder<T>(run: () => Promise<T>): Promise<T> {
    const mine = this.turn.then(run);
    this.turn = mine.catch(() => undefined);
    return mine;
  }

  /** A worker that cannot be programmed must not serve on old rules: it is stopped. */
  private async everywhere(program: (worker: Worker) => Promise<unknown>): Promise<void> {
    await Promise.all(
      [...this.workers].map(async (worker) => {
        try {
          await program(worker);
        } catch (error) {
          if (this.isReleased) return;
          this.logger.error('a worker could not be programmed and is stopped', error);
          this.workers.delete(worker);
          await worker.stop();
        }
      }),
    );
  }

  private async ask<T>(question: (worker: Worker) => Promise<T>): Promise<readonly T[]> {
    const answers = await Promise.allSettled([...this.workers].map(question));
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  }
}
