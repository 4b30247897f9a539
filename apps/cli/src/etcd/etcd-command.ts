import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, renameSync, rmSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import { ConfigError } from '@orrery/component';
import { EtcdAdmin, EtcdStorage, StorageError, beginEpoch } from '@orrery/storage';
import type { EtcdClient } from '@orrery/storage';
import { ClusterFiles } from '../cluster/layout.js';
import { clusterDir } from '../commands/up-flags.js';
import { streamControl } from '../supervisor/control.js';
import { connectEtcd } from './connect.js';
import { parseEtcdCall } from './flags.js';
import type { EtcdCall } from './flags.js';
import { alarmLines, humanBytes, memberTable, statusTable } from './tables.js';

export const ETCD_USAGE = `orrery etcd COMMAND: the etcd of the running cluster, or with --endpoints any other

  status                      what each member says of itself
  members                     the members as the cluster knows them
  alarms [list|disarm]        what etcd complains of; lifts it
  compact [REVISION]          drop the history below (default: all but the present)
  defrag                      give freed space back to the disk, one member after the other
  snapshot save FILE          the whole database into a file, in etcd's own format
  epoch REVISION              after a restore by other tools: pass every revision up to this one
For the etcd of the running cluster only:
  snapshot restore FILE       start all members again from a snapshot
  member add [HOW_MANY]       one more member, or several
  member remove [NAME]        one less (default: the last)
  member replace NAME         a new, empty member in the place of a dead one

  --name NAME, --endpoints URLS, --cacert --cert --key FILE, --user NAME --password-file FILE, -o table|json
`;

type Print = (text: string) => void;
type Run = (call: EtcdCall, client: EtcdClient, rest: readonly string[]) => Promise<string>;

const json = (value: unknown): string => JSON.stringify(value, null, 2);
const shown = (call: EtcdCall, value: unknown, text: string): string =>
  call.flags.output === 'json' ? json(value) : text;

function toRevision(text: string): number {
  if (/^[1-9]\d{0,15}$/.test(text)) return Number(text);
  throw new ConfigError(`${text} is no revision: a whole number above 0 is`);
}

const status: Run = async (call, client) => {
  const rows = await new EtcdAdmin(client).statuses();
  if (rows.every((row) => 'problem' in row))
    throw new ConfigError(
      rows.map((row) => `${row.endpoint}: ${'problem' in row ? row.problem : ''}`).join('; '),
    );
  return shown(call, rows, statusTable(rows));
};

const members: Run = async (call, client) => {
  const list = await new EtcdAdmin(client).members();
  return shown(call, list, memberTable(list));
};

const alarms: Run = async (call, client, [what = 'list']) => {
  const admin = new EtcdAdmin(client);
  if (what === 'list') {
    const raised = await admin.alarms();
    return shown(call, raised, alarmLines(raised));
  }
  if (what !== 'disarm') throw new ConfigError(`orrery etcd alarms ${what}: list or disarm`);
  const lifted = await admin.disarm();
  const left = await admin.alarms();
  if (left.length > 0) throw new ConfigError(`still raised: ${alarmLines(left)}`);
  return shown(call, lifted, lifted.length === 0 ? 'no alarms' : `disarmed ${alarmLines(lifted)}`);
};

const compact: Run = async (call, client, [text]) => {
  const current = await new EtcdStorage({ client }).revision();
  const revision = text === undefined ? current : toRevision(text);
  if (revision > current)
    throw new ConfigError(`revision ${revision} lies in the future, the current one is ${current}`);
  await client.compact(revision);
  return shown(call, { revision }, `compacted revision ${revision}`);
};

const defrag: Run = async (call, client) => {
  const done: string[] = [];
  await new EtcdAdmin(client).defragment((endpoint) => done.push(endpoint));
  const text = done.map((endpoint) => `Finished defragmenting etcd member[${endpoint}]`).join('\n');
  return shown(call, done, text);
};

const epoch: Run = async (call, client, [text]) => {
  if (text === undefined)
    throw new ConfigError('orrery etcd epoch needs the newest revision from before the restore');
  const revision = await beginEpoch(client, { above: toRevision(text) });
  return shown(call, { revision }, `a new epoch begins at revision ${revision}`);
};

/** Writes beside the target and renames: what is there under the name is whole. */
async function save(client: EtcdClient, file: string): Promise<{ file: string; bytes: number }> {
  const part = `${file}.part`;
  const out = createWriteStream(part, { mode: 0o600 });
  const hash = createHash('sha256');
  let tail = Buffer.alloc(0);
  try {
    await once(out, 'open');
    for await (const piece of new EtcdAdmin(client).snapshot()) {
      const known = Buffer.concat([tail, piece]);
      tail = known.subarray(Math.max(0, known.length - hash.copy().digest().length));
      hash.update(known.subarray(0, known.length - tail.length));
      if (!out.write(piece)) await once(out, 'drain');
    }
    out.end();
    await finished(out);
    // etcd ends the stream with the checksum of all that comes before.
    if (!hash.digest().equals(tail))
      throw new ConfigError(`${file}: the snapshot came damaged; nothing was kept, try again`);
    renameSync(part, file);
    return { file, bytes: statSync(file).size };
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  }
}

const snapshot: Run = async (call, client, [what, file]) => {
  if (what !== 'save' || file === undefined)
    throw new ConfigError('orrery etcd snapshot save FILE, or snapshot restore FILE');
  const saved = await save(client, resolve(file));
  return shown(call, saved, `Snapshot saved at ${file} (${humanBytes(saved.bytes)})`);
};

const COMMANDS: Readonly<Record<string, Run>> = {
  status,
  members,
  alarms,
  alarm: alarms,
  compact,
  compaction: compact,
  defrag,
  epoch,
  snapshot,
};

/** What only the supervisor of a running cluster can do: the path to ask it by. */
function supervisorPath({ words, flags }: EtcdCall): string | undefined {
  const [command = '', verb = '', what] = words;
  const query = new URLSearchParams();
  if (command === 'snapshot' && verb === 'restore') {
    if (what === undefined) throw new ConfigError('orrery etcd snapshot restore needs a file');
    query.set('file', resolve(what));
    if (flags.above !== undefined) query.set('above', String(flags.above));
    return `/etcd/restore?${query.toString()}`;
  }
  if (command !== 'member') return undefined;
  if (!['add', 'remove', 'replace'].includes(verb))
    throw new ConfigError('orrery etcd member add, remove or replace');
  if (what !== undefined) query.set('what', what);
  return `/etcd/${verb}?${query.toString()}`;
}

function inOneLine(error: unknown): unknown {
  if (error instanceof StorageError) return new ConfigError(error.message, { cause: error });
  const isSystemError = typeof (error as NodeJS.ErrnoException).syscall === 'string';
  return isSystemError ? new ConfigError(String(error), { cause: error }) : error;
}

/** `orrery etcd …`; prints what it answers. */
export async function etcd(argv: readonly string[], print: Print): Promise<void> {
  const call = parseEtcdCall(argv);
  const [command, ...rest] =
    call.words[0] === 'member' && call.words[1] === 'list' ? ['members'] : call.words;
  if (command === undefined || command === 'help') {
    print(ETCD_USAGE);
    return;
  }
  const path = command === 'members' ? undefined : supervisorPath(call);
  if (path !== undefined) {
    if (call.flags.endpoints.length > 0)
      throw new ConfigError(
        `orrery etcd ${call.words.slice(0, 2).join(' ')} is for the etcd of a running cluster, not for --endpoints`,
      );
    const socket = new ClusterFiles(clusterDir(call.flags.name)).controlSocket;
    await streamControl(socket, path, print);
    return;
  }
  const run = COMMANDS[command];
  if (!run) throw new ConfigError(`orrery etcd ${command}: unknown command; see orrery etcd help`);
  const client = connectEtcd(call);
  try {
    print(await run(call, client, rest));
  } catch (error) {
    throw inOneLine(error);
  } finally {
    client.close();
  }
}
