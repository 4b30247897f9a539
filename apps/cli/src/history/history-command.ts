import { parseFlags } from '@orrery/component';
import { describeObject } from '@orrery/history';
import type { ObjectHistory, ObjectWrite } from '@orrery/history';
import { readCommandLine } from './arguments.js';
import { HistoryFlags } from './history-flags.js';
import { HistoryServer } from './history-server.js';
import { changeLines, signOf, whoLine } from './lines.js';
import { findResource, objectPath, parseSubject } from './resource-names.js';

const INDENT = '      ';

function reasonLine({ because, reason, reactedTo }: ObjectWrite): string[] {
  const why = reason ? ` (${reason})` : '';
  if (!because) return reactedTo === undefined ? [] : [`  because of revision ${reactedTo}${why}`];
  const { object, revision, summary, how, rule } = because;
  const what = `${describeObject(object)}@${revision}: ${summary}`;
  return [`  because of ${what}${why}${how === 'inferred' ? ` [inferred: ${rule ?? ''}]` : ''}`];
}

function writeLines(write: ObjectWrite, isFull: boolean): string[] {
  const { revision, time = 'at an unknown time', summary } = write;
  return [
    `${signOf(write)} @${revision}  ${time}  ${whoLine(write)}`,
    `  ${summary}`,
    ...reasonLine(write),
    ...changeLines(write, { isFull, indent: INDENT }),
  ];
}

/** The history of an object as text, oldest write first. */
export function historyText(history: ObjectHistory, isFull: boolean): string {
  const { object, writes, before, oldest } = history;
  const more =
    before === undefined
      ? ''
      : `, the newest of more (--limit); older ones are before revision ${before}`;
  const cut = oldest === undefined ? '' : `; what was before revision ${oldest} is compacted away`;
  const count = `${writes.length} write${writes.length === 1 ? '' : 's'}`;
  const home = object.namespace ? ` in ${object.namespace}` : '';
  const head = `${describeObject(object, object.namespace)}${home}: ${count}${more}${cut}`;
  const blocks = writes.toReversed().map((write) => writeLines(write, isFull).join('\n'));
  return [head, ...blocks].join('\n\n');
}

/** `orrery history TYPE/NAME`: every revision of an object, who wrote it, when, what changed and why. */
export async function history(
  argv: readonly string[],
  print: (text: string) => void,
): Promise<void> {
  const { words, flags: long } = readCommandLine(argv);
  const flags = parseFlags(HistoryFlags, long, 'orrery history TYPE/NAME');
  const [type, name] = parseSubject(words, 'history');
  const server = new HistoryServer(flags);
  try {
    const resource = await findResource(server, type);
    const path = objectPath(resource, server.namespace, name);
    const found = await server.get<ObjectHistory>(`/history/revisions${path}`, {
      limit: String(flags.limit),
      all: String(flags.all),
    });
    print(
      flags.output === 'json' ? JSON.stringify(found, null, 2) : historyText(found, flags.full),
    );
  } finally {
    await server.close();
  }
}
