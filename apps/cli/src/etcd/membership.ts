import { rmSync } from 'node:fs';
import { ConfigError } from '@orrery/component';
import { isOutcomeUnknown, isStorageError } from '@orrery/storage';
import type { AdminMember, EtcdAdmin } from '@orrery/storage';
import { etcdDataDir, etcdPeerUrl, memberName } from '../cluster/etcd.js';
import { MAX_ETCD_MEMBERS } from '../cluster/layout.js';
import { requireFree } from '../cluster/listeners.js';
import { etcdClientUrl, etcdNumbers } from '../cluster/plan.js';
import type { RunningEtcd, Say } from './running-etcd.js';

/** Errors that etcd gives for some seconds after a change of its members, until they know each other. */
const NOT_YET = /unhealthy cluster|not enough started members|in sync with leader|too many learner/;

/** Adds, removes and replaces the members of a running cluster's etcd, one at a time. */
export class Membership {
  constructor(private readonly running: RunningEtcd) {}

  /** Adds members until there are `more` more. */
  async add(more: number, say: Say): Promise<void> {
    const { running } = this;
    const before = etcdNumbers(running.input).length;
    if (!Number.isInteger(more) || more < 1 || before + more > MAX_ETCD_MEMBERS)
      throw new ConfigError(
        `member add: the cluster has ${before} members, so it can get 1 to ${MAX_ETCD_MEMBERS - before} more`,
      );
    if (before === 1) await this.slowDown(say);
    for (let i = 0; i < more; i++) {
      const numbers = etcdNumbers(running.input);
      const n = firstFree(numbers);
      await this.join(n, [...numbers, n], say);
      running.keep([...numbers, n]);
    }
    await running.startApiServer(say);
    this.sum(say);
  }

  /** Removes the named member, or the last one. */
  async remove(name: string | undefined, say: Say): Promise<void> {
    const { running } = this;
    const numbers = etcdNumbers(running.input);
    const n = name === undefined ? (numbers.at(-1) ?? 1) : this.numberOf(name);
    if (numbers.length === 1)
      throw new ConfigError(`member remove: ${memberName(n)} is the only member, and has all data`);
    await this.expel(n, say);
    await running.forgetMember(n);
    rmSync(etcdDataDir(running.input, n), { recursive: true, force: true });
    running.keep(numbers.filter((each) => each !== n));
    await running.startApiServer(say);
    this.sum(say);
  }

  /** Puts a new, empty member in the place of one that is lost. */
  async replace(name: string | undefined, say: Say): Promise<void> {
    const { running } = this;
    if (name === undefined) throw new ConfigError('member replace needs the name of a member');
    const n = this.numberOf(name);
    const numbers = etcdNumbers(running.input);
    if (numbers.length === 1)
      throw new ConfigError(
        `member replace: ${name} is the only member, and has all data; restore a snapshot instead`,
      );
    await this.expel(n, say);
    await running.stopMember(n);
    await this.join(n, numbers, say);
    this.sum(say);
  }

  /** A single member beats ten times as fast as those of a cluster: it must not call elections among them. */
  private async slowDown(say: Say): Promise<void> {
    const { running } = this;
    const [n = 1] = etcdNumbers(running.input);
    say(`${memberName(n)} starts again with the timers of a cluster`);
    await running.startMember(running.with([n, firstFree([n])]), n, 'new');
    await running.healthy(n);
  }

  /** Starts member `n` empty and lets it vote once it has caught up. Leaves nothing of it when that fails. */
  private async join(n: number, numbers: readonly number[], say: Say): Promise<void> {
    const { running } = this;
    const input = running.with(numbers);
    const url = new URL(etcdClientUrl(input, n));
    const peerUrl = etcdPeerUrl(input, n);
    await requireFree(
      [Number(url.port), Number(new URL(peerUrl).port)].map((port) => ({
        who: memberName(n),
        host: url.hostname,
        port,
      })),
    );
    const learner = await this.patiently(n, `${memberName(n)} cannot be added`, async (admin) => {
      const before = (await admin.members()).find((each) => each.peerUrls.includes(peerUrl));
      return before ?? admin.addLearner(peerUrl);
    });
    say(`${memberName(n)} is added as a learner (${learner.id}) and catches up`);
    try {
      rmSync(etcdDataDir(input, n), { recursive: true, force: true });
      await running.startMember(input, n);
      await this.patiently(n, `${memberName(n)} does not catch up`, async (admin) => {
        const now = (await admin.members()).find(({ id }) => id === learner.id);
        if (now?.isLearner !== false) await admin.promote(learner.id);
      });
      say(`${memberName(n)} votes`);
    } catch (error) {
      await running.forgetMember(n);
      await running.ask((admin) => admin.remove(learner.id), n).catch(() => undefined);
      rmSync(etcdDataDir(input, n), { recursive: true, force: true });
      throw error;
    }
  }

  /** Takes member `n` out of the cluster; the others decide. */
  private async expel(n: number, say: Say): Promise<void> {
    const known = await this.running.ask((admin) => admin.members(), n);
    const member = known.find((each) => isNumber(each, n));
    if (!member) {
      say(`the cluster does not know ${memberName(n)} any more`);
      return;
    }
    // A leader that removes itself may be gone before the others know: they would wait for it.
    await this.running.ask((admin) => admin.stepDown(member.id)).catch(() => undefined);
    await this.patiently(n, `${memberName(n)} cannot be removed`, async (admin) => {
      const isThere = (await admin.members()).some(({ id }) => id === member.id);
      if (isThere) await admin.remove(member.id);
    });
    await this.running.serves(n);
    say(`${memberName(n)} (${member.id}) is removed`);
  }

  /** Asks the members but `n`, again while they only have to settle (a leader that removes itself does not answer). */
  private async patiently<T>(
    n: number,
    problem: string,
    run: (admin: EtcdAdmin) => Promise<T>,
  ): Promise<T> {
    const result: { value?: T } = {};
    let refused: unknown;
    await this.running.until(problem, async () => {
      try {
        result.value = await this.running.ask(run, n);
        return true;
      } catch (error) {
        const settles = isOutcomeUnknown(error) || isStorageError(error, 'unavailable');
        if (settles || NOT_YET.test(String(error))) throw error;
        refused = error;
        return true;
      }
    });
    if (refused !== undefined) throw refused;
    return result.value as T;
  }

  private numberOf(name: string): number {
    const numbers = etcdNumbers(this.running.input);
    const n = numbers.find((each) => memberName(each) === name);
    if (n !== undefined) return n;
    throw new ConfigError(`no member ${name}; one of ${numbers.map(memberName).join(', ')}`);
  }

  private sum(say: Say): void {
    const names = etcdNumbers(this.running.input).map(memberName);
    const spare = Math.floor((names.length - 1) / 2);
    const note = names.length % 2 === 0 ? `, no more than ${names.length - 1} do` : '';
    say(
      `etcd has ${names.length} member${names.length === 1 ? '' : 's'} (${names.join(', ')}) and bears the loss of ${spare}${note}`,
    );
  }
}

function firstFree(numbers: readonly number[]): number {
  let n = 1;
  while (numbers.includes(n)) n++;
  return n;
}

/** By its name, or before it has ever started by its peer address, which ends in the number. */
const isNumber = ({ name, peerUrls }: AdminMember, n: number): boolean =>
  name === ''
    ? peerUrls.some((url) => new RegExp(`\\.${200 + n}:`).test(url))
    : name === memberName(n);
