import { isConnectionError } from '@orrery/client';
import { ConfigError, SystemClock, parseFlags } from '@orrery/component';
import { describeActor, describeObject } from '@orrery/history';
import type { LogMark, Write } from '@orrery/history';
import { readCommandLine } from './arguments.js';
import { LogFlags } from './history-flags.js';
import { HistoryServer } from './history-server.js';
import { clockTime, signOf } from './lines.js';
import { findResource } from './resource-names.js';

/** One write as one line. */
export function logLine(write: Write): string {
  const { revision, object, summary, reactedTo, actor } = write;
  const because = reactedTo === undefined ? '' : `, because of @${reactedTo}`;
  const who = actor ? `  [${describeActor(actor)}${because}]` : '';
  return `${clockTime(write)}  @${revision}  ${signOf(write)} ${describeObject(object)}: ${summary}${who}`;
}

async function queryOf(
  server: HistoryServer,
  flags: LogFlags,
  [type]: readonly string[],
): Promise<Record<string, string>> {
  const resource = type === undefined ? undefined : await findResource(server, type);
  const { group = '', plural = '' } = resource ?? {};
  const since = flags.since === '' && !flags.follow ? '-10m' : flags.since;
  return {
    ...(since === '' || since === 'now' ? {} : { since }),
    ...(flags.to === '' ? {} : { to: flags.to }),
    ...(plural === '' ? {} : { resource: group === '' ? plural : `${plural}.${group}` }),
    ...(flags.namespace === '' || flags.allNamespaces ? {} : { namespace: flags.namespace }),
    follow: String(flags.follow),
    limit: String(flags.limit),
    leases: String(flags.leases),
    events: String(flags.events),
  };
}

/** Makes text of a log: a line a write, and once what is to be said beside them. */
class LogText {
  private readonly said = new Set<string>();

  lines(line: Write | LogMark): string[] {
    return 'kind' in line ? this.notes(line) : [logLine(line)];
  }

  private notes({ oldest, omitted = [] }: LogMark): string[] {
    const notes = [
      ...(oldest === undefined ? [] : [`(what was before revision ${oldest} is compacted away)`]),
      ...(omitted.length === 0
        ? []
        : [`(left out, since you may not list them: ${omitted.join(', ')})`]),
    ];
    return notes.filter((note) => !this.said.has(note) && this.said.add(note));
  }
}

/** `orrery log`: what happened in the cluster, one line a revision. */
export async function log(
  argv: readonly string[],
  signal: AbortSignal,
  print: (text: string) => void,
): Promise<void> {
  const { words, flags: long } = readCommandLine(argv);
  const flags = parseFlags(LogFlags, long, 'orrery log [TYPE]');
  if (words.length > 1)
    throw new ConfigError('orrery log takes one type, as in: orrery log -f pods');
  const server = new HistoryServer(flags);
  const text = new LogText();
  try {
    const query = await queryOf(server, flags, words);
    for await (const line of linesOf(server, query, signal, print)) {
      const shown = flags.output === 'json' ? [JSON.stringify(line)] : text.lines(line);
      for (const each of shown) print(each);
    }
  } finally {
    await server.close();
  }
}

const RETRY_MS = 500;

/** The lines of a log; one that is followed goes on behind the last mark when its server has gone and is back. */
async function* linesOf(
  server: HistoryServer,
  query: Record<string, string>,
  signal: AbortSignal,
  print: (text: string) => void,
): AsyncGenerator<Write | LogMark> {
  const clock = new SystemClock();
  let asked = query;
  let isConnected = false;
  while (!signal.aborted) {
    try {
      for await (const line of server.log(asked, signal)) {
        isConnected = true;
        if ('kind' in line) asked = { ...asked, since: String(line.revision + 1) };
        yield line;
      }
      if (query['follow'] !== 'true') return;
    } catch (error) {
      if (!isConnectionError(error)) throw error;
      if (query['follow'] !== 'true' || asked === query)
        throw new ConfigError(error.message, { cause: error });
      if (isConnected) print('(the server has gone; the log goes on when it is back)');
      isConnected = false;
    }
    await clock.sleep(RETRY_MS, signal).catch(() => undefined);
  }
}
