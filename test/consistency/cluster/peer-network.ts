import type { Direction, RelayAddress, RelayPolicy } from './relay.js';
import { Relay } from './relay.js';

/** rafthttp says in the head of every connection which member opens it (etcd 3.4 rafthttp/http.go). */
const SERVER_FROM = /x-server-from: ([0-9a-f]+)/i;

function readSender(first: Buffer): string {
  return SERVER_FROM.exec(first.toString('latin1'))?.[1] ?? '';
}

/** What passes between the members of an etcd cluster: one relay before each member's peer port, and a matrix of broken links. */
export class PeerNetwork {
  private readonly relays: Relay[] = [];
  private readonly broken = new Set<string>();
  private ids: readonly string[] = [];
  private delay = 0;

  /** Puts a relay before a member's peer address; members are counted from 0 in the order of the calls. */
  async add(address: RelayAddress, target: RelayAddress): Promise<void> {
    const to = this.relays.length;
    const policy: RelayPolicy = {
      blocks: (direction, label) => this.blocks(direction, this.ids.indexOf(label), to),
      delayMs: () => this.delay,
    };
    this.relays.push(await Relay.start(address, target, policy, readSender));
  }

  /** The members' ids in hexadecimal, in the order of `add`: known once the cluster runs. */
  setIds(ids: readonly string[]): void {
    this.ids = ids;
  }

  /** Nothing passes between the member and the others any more. */
  isolate(member: number): void {
    for (const other of this.others(member)) this.break(other, member).break(member, other);
    this.update();
  }

  /** The member hears nothing, and is heard. */
  deafen(member: number): void {
    for (const other of this.others(member)) this.break(other, member);
    this.update();
  }

  slow(delayMs: number): void {
    this.delay = delayMs;
  }

  heal(): void {
    this.broken.clear();
    this.delay = 0;
    this.update();
  }

  async close(): Promise<void> {
    await Promise.all(this.relays.map((relay) => relay.close()));
  }

  /** A connection that `from` opened to `to`: what goes to the server goes from `from` to `to`. */
  private blocks(direction: Direction, from: number, to: number): boolean {
    if (this.broken.size === 0) return false;
    return this.broken.has(direction === 'toServer' ? `${from}>${to}` : `${to}>${from}`);
  }

  private break(from: number, to: number): this {
    this.broken.add(`${from}>${to}`);
    return this;
  }

  private others(member: number): number[] {
    return [...this.relays.keys()].filter((index) => index !== member);
  }

  private update(): void {
    for (const relay of this.relays) relay.update();
  }
}
