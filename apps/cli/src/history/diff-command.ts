import { ConfigError, parseFlags } from '@orrery/component';
import { describeActor, describeObject } from '@orrery/history';
import type { ClusterDiff, DiffMoment, Write } from '@orrery/history';
import { readCommandLine } from './arguments.js';
import { DiffFlags } from './history-flags.js';
import { HistoryServer } from './history-server.js';
import { changeLines, clockTime, signOf } from './lines.js';
import { findResource } from './resource-names.js';

const describeMoment = ({ revision, time }: DiffMoment): string =>
  `revision ${revision}${time ? ` (${time})` : ''}`;

function lastWrite(write: Write): string {
  if (write.type === 'DELETED') return '';
  return `  [last @${write.revision} ${clockTime(write)} by ${describeActor(write.actor)}]`;
}

function changeBlock(write: Write, isFull: boolean): string {
  const head = `${signOf(write)} ${describeObject(write.object)}: ${write.summary}${lastWrite(write)}`;
  return [head, ...changeLines(write, { isFull, indent: '    ' })].join('\n');
}

const count = (changes: readonly Write[], type: Write['type']): number =>
  changes.filter((change) => change.type === type).length;

/** What changed between two moments, as text. */
export function diffText(diff: ClusterDiff, isFull: boolean): string {
  const { from, to, changes, omitted = [] } = diff;
  const total = `${changes.length} object${changes.length === 1 ? '' : 's'} changed: ${count(changes, 'ADDED')} added, ${count(changes, 'MODIFIED')} modified, ${count(changes, 'DELETED')} deleted`;
  return [
    `from ${describeMoment(from)} to ${describeMoment(to)}`,
    ...changes.map((change) => changeBlock(change, isFull)),
    total,
    ...(diff.continue === undefined ? [] : ['there is more: raise --limit']),
    ...(omitted.length === 0
      ? []
      : [`left out, since you may not list them: ${omitted.join(', ')}`]),
  ].join('\n');
}

async function scopeOf(
  server: HistoryServer,
  flags: DiffFlags,
  words: readonly string[],
): Promise<Record<string, string>> {
  const [type, ...more] = words;
  if (more.length > 0)
    throw new ConfigError(`orrery diff takes one type, as in: orrery diff --from -5m pods`);
  const resource = type === undefined ? undefined : await findResource(server, type);
  const { group = '', plural = '', namespaced = true } = resource ?? {};
  const isWhole = flags.allNamespaces || !namespaced;
  return {
    ...(plural === '' ? {} : { resource: group === '' ? plural : `${plural}.${group}` }),
    ...(isWhole ? {} : { namespace: server.namespace }),
  };
}

/** `orrery diff --from R1 --to R2`: what changed between two moments. */
export async function diff(argv: readonly string[], print: (text: string) => void): Promise<void> {
  const { words, flags: long } = readCommandLine(argv);
  const flags = parseFlags(DiffFlags, long, 'orrery diff [TYPE]');
  if (flags.from === '')
    throw new ConfigError(
      'orrery diff needs --from: a revision (41), a time (2026-01-02T03:04:05Z) or a time ago (-5m)',
    );
  const server = new HistoryServer(flags);
  try {
    const found = await server.get<ClusterDiff>('/history/diff', {
      from: flags.from,
      ...(flags.to === '' || flags.to === 'now' ? {} : { to: flags.to }),
      ...(await scopeOf(server, flags, words)),
      limit: String(flags.limit),
      leases: String(flags.leases),
    });
    print(flags.output === 'json' ? JSON.stringify(found, null, 2) : diffText(found, flags.full));
  } finally {
    await server.close();
  }
}
