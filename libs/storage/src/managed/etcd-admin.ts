import type { IAlarmResponse, IMember, IStatusResponse } from 'etcd3';

import type { EtcdClient, EtcdMember } from '../etcd3/etcd-client.js';
import type { Operation } from '../etcd3/etcd-error.js';
import { toStorageError } from '../etcd3/etcd-error.js';
import { StorageError } from '../storage-error.js';

/** A member as the cluster knows it. Ids are hexadecimal, as etcdctl shows them. */
export interface AdminMember {
  readonly id: string;
  /** '' until it has started. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  readonly isLearner: boolean;
}

/** What one endpoint says of itself. */
export interface MemberStatus {
  readonly endpoint: string;
  readonly id: string;
  readonly version: string;
  readonly dbSize: number;
  readonly dbSizeInUse: number;
  readonly isLeader: boolean;
  readonly isLearner: boolean;
  readonly raftTerm: number;
  readonly raftIndex: number;
  readonly raftAppliedIndex: number;
  readonly revision: number;
  readonly errors: readonly string[];
}

export interface Alarm {
  readonly memberId: string;
  readonly alarm: string;
}

const DEFRAGMENT_MS = 60_000;
const MEMBER_ID = /^[0-9a-f]{1,16}$/;

/** Ids have no sign; those that come as signed numbers of 64 bits are read as what they are. */
const toHex = (id: string | number): string => BigInt.asUintN(64, BigInt(id)).toString(16);
const toDecimal = (hex: string): string => {
  if (!MEMBER_ID.test(hex)) throw new StorageError('internal', `${hex} is no member id`);
  return BigInt(`0x${hex}`).toString();
};

/** What an operator asks of etcd's members: their state, their membership, and room for more. */
export class EtcdAdmin {
  constructor(private readonly client: EtcdClient) {}

  /** One answer an endpoint; those that do not answer are named with the reason. */
  async statuses(): Promise<(MemberStatus | { endpoint: string; problem: string })[]> {
    const operation = maintenance('status');
    return Promise.all(
      this.client.members.map(async (member) => {
        const { endpoint } = member;
        try {
          const answer = await this.client.callMember(member, operation, (etcd, options) =>
            etcd.status(options),
          );
          return toStatus(endpoint, answer);
        } catch (error) {
          return { endpoint, problem: String(error instanceof Error ? error.message : error) };
        }
      }),
    );
  }

  async members(): Promise<readonly AdminMember[]> {
    const { members } = await this.client.call(maintenance('list the members'), (etcd, options) =>
      etcd.library.cluster.memberList({}, options),
    );
    return members.map(toMember).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Adds a member that does not vote yet, so that nothing depends on it before it has caught up. */
  async addLearner(peerUrl: string): Promise<AdminMember> {
    const operation: Operation = { kind: 'write', what: 'add a member at', key: peerUrl };
    const { member } = await this.client.call(operation, (etcd, options) =>
      etcd.library.cluster.memberAdd({ peerURLs: [peerUrl], isLearner: true }, options),
    );
    return toMember(member);
  }

  /** Lets a learner vote. Refused until it has caught up. */
  async promote(id: string): Promise<void> {
    await this.client.call(
      { kind: 'write', what: 'promote the member', key: id },
      (etcd, options) => etcd.library.cluster.memberPromote({ ID: toDecimal(id) }, options),
    );
  }

  /** Hands the leadership over when this member has it; true when it had. The client must know its endpoint. */
  async stepDown(id: string): Promise<boolean> {
    const voters = (await this.members()).filter(
      ({ name, isLearner }) => name !== '' && !isLearner,
    );
    const to = voters.find((member) => member.id !== id);
    const statuses = await this.statuses();
    const at = statuses.findIndex((each) => 'isLeader' in each && each.isLeader && each.id === id);
    const leader = this.client.members[at];
    if (!leader || !to) return false;
    await this.client.callMember(leader, maintenance('move the leadership'), (etcd, options) =>
      etcd.library.maintenance.moveLeader({ targetID: toDecimal(to.id) }, options),
    );
    return true;
  }

  async remove(id: string): Promise<void> {
    await this.client.call({ kind: 'write', what: 'remove the member', key: id }, (etcd, options) =>
      etcd.library.cluster.memberRemove({ ID: toDecimal(id) }, options),
    );
  }

  /** Gives the space of what was deleted and compacted back to the disk, one endpoint after the other: each stops serving meanwhile. */
  async defragment(onDone: (endpoint: string) => void = () => undefined): Promise<void> {
    const operation = { ...maintenance('defragment'), timeoutMs: DEFRAGMENT_MS };
    for (const member of this.client.members) {
      await this.client.callMember(member, operation, (etcd, options) =>
        etcd.library.maintenance.defragment(options),
      );
      onDone(member.endpoint);
    }
  }

  async alarms(): Promise<readonly Alarm[]> {
    return (await this.raised()).map(toAlarm);
  }

  /** Lifts every alarm, each by its member: one call without a member's id leaves those of the others standing. */
  async disarm(): Promise<readonly Alarm[]> {
    const raised = await this.raised();
    for (const { memberID, alarm } of raised) {
      await this.client.call(maintenance(`disarm ${alarm}`), (etcd, options) =>
        etcd.library.maintenance.alarm({ action: 'Deactivate', memberID, alarm }, options),
      );
    }
    return raised.map(toAlarm);
  }

  private async raised(): Promise<readonly RaisedAlarm[]> {
    const { alarms } = await this.client.call(maintenance('list the alarms'), (etcd, options) =>
      etcd.library.maintenance.alarm({ action: 'Get' }, options),
    );
    return alarms.filter(({ alarm }) => String(alarm) !== NO_ALARM);
  }

  /** The database of the first endpoint that answers, in the pieces in which it comes. */
  async *snapshot(signal?: AbortSignal): AsyncGenerator<Buffer> {
    const operation = maintenance('snapshot');
    const member = this.client.member();
    try {
      const stream = await openSnapshot(this.client, member);
      const cancel = (): void => stream.cancel();
      signal?.addEventListener('abort', cancel, { once: true });
      for await (const { blob } of stream) yield blob;
      signal?.removeEventListener('abort', cancel);
    } catch (error) {
      throw toStorageError(error, operation);
    }
  }
}

type RaisedAlarm = IAlarmResponse['alarms'][number];
const NO_ALARM: string = 'None';

type SnapshotStream = AsyncIterable<{ readonly blob: Buffer }> & { cancel(): void };

async function openSnapshot(client: EtcdClient, member: EtcdMember): Promise<SnapshotStream> {
  const interceptors = await client.interceptors();
  const stream: unknown = await member.unary.library.maintenance.snapshot({ interceptors });
  if (typeof stream === 'object' && stream !== null && Symbol.asyncIterator in stream)
    return stream as SnapshotStream;
  throw new StorageError('internal', 'etcd3 gave no readable snapshot stream');
}

const maintenance = (what: string): Operation => ({ kind: 'read', what, anyMember: true });

function toMember({ ID, name, peerURLs, clientURLs, isLearner }: IMember): AdminMember {
  return { id: toHex(ID), name, peerUrls: peerURLs, clientUrls: clientURLs, isLearner };
}

/** etcd3 names the kinds in its own way: Nospace, Corrupt. */
function toAlarm({ memberID, alarm }: RaisedAlarm): Alarm {
  return { memberId: toHex(memberID), alarm: String(alarm).toUpperCase() };
}

function toStatus(endpoint: string, answer: IStatusResponse): MemberStatus {
  const { header } = answer;
  return {
    endpoint,
    id: toHex(header.member_id),
    version: answer.version,
    dbSize: Number(answer.dbSize),
    dbSizeInUse: Number(answer.dbSizeInUse),
    isLeader: String(answer.leader) === String(header.member_id),
    isLearner: answer.isLearner,
    raftTerm: Number(answer.raftTerm),
    raftIndex: Number(answer.raftIndex),
    raftAppliedIndex: Number(answer.raftAppliedIndex),
    revision: Number(header.revision),
    errors: answer.errors,
  };
}
