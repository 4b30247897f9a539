import { StatusError } from '@orrery/apimachinery';
import { ConnectionError } from '@orrery/client';
import { ConfigError, parseDuration } from '@orrery/component';
import { KubeconfigFile, kubeconfigPath } from '../kubeconfig/kubeconfig-file.js';
import type { ContextEntry } from '../kubeconfig/kubeconfig-file.js';
import type { AtCall, AtFlags } from './at-flags.js';
import { liveServer, noteOf, pastContext } from './past-context.js';
import type { PastNote } from './past-context.js';
import { PastServer } from './past-server.js';
import type { MomentView } from './past-server.js';

async function withServer<T>(
  file: KubeconfigFile,
  context: string,
  work: (server: PastServer) => Promise<T>,
): Promise<T> {
  const { cluster } = file.find(context);
  const server = new PastServer(file.path, context, liveServer(cluster.cluster.server));
  try {
    return await work(server);
  } finally {
    await server.close();
  }
}

async function findMoment(server: PastServer, text: string): Promise<MomentView> {
  return text === 'now' ? (await server.history()).newest : server.find(text);
}

const describe = ({ revision, time }: MomentView): string =>
  `revision ${revision}${time ? ` (${time})` : ''}`;

/** The moment, pinned for as long as the flags say; `problem` when the user may look but not pin. */
async function keep(
  server: PastServer,
  found: MomentView,
  { pin }: AtFlags,
  earlier: string | undefined,
): Promise<{ readonly moment: MomentView; readonly problem?: string }> {
  if ((parseDuration(pin) ?? 0) <= 0) return { moment: found };
  try {
    return { moment: await server.pin(found.revision, pin, earlier) };
  } catch (error) {
    if (error instanceof StatusError && error.code === 403)
      return { moment: found, problem: error.message };
    throw error;
  }
}

function keptLine({ pin }: MomentView, retention: string, problem?: string): string {
  if (pin) return `kept until ${pin.until ?? 'it is removed'} (pin ${pin.id})`;
  const why = problem === undefined ? '' : ` (${problem})`;
  return `not kept${why}: it goes when it is older than the history (${retention})`;
}

async function open(file: KubeconfigFile, moment: string, flags: AtFlags): Promise<string> {
  const from = file.find(flags.context || file.current);
  return withServer(file, from.context.name, async (server) => {
    const found = await findMoment(server, moment);
    const { retention } = await server.history();
    const earlier = file.contexts.map(noteOf).find((note) => note?.revision === found.revision);
    const { moment: kept, problem } = await keep(server, found, flags, earlier?.pin);
    const { context, cluster } = pastContext(from, kept, flags.speed);
    file.put(context, cluster);
    if (flags.use) file.use(context.name);
    file.write();
    const command = flags.use ? 'kubectl' : `kubectl --context ${context.name}`;
    return [
      `context ${context.name}: the cluster as it was at ${describe(kept)}, read-only`,
      keptLine(kept, retention, problem),
      `written to ${file.path}${flags.use ? ', and now the current context' : ''}`,
      '',
      `  ${command} get pods -A`,
    ].join('\n');
  });
}

const row = (cells: readonly string[], widths: readonly number[]): string =>
  cells
    .map((cell, i) => cell.padEnd(widths[i] ?? 0))
    .join('  ')
    .trimEnd();

/** Whether the moment can still be read, in a word. */
async function state(file: KubeconfigFile, name: string, note: PastNote): Promise<string> {
  try {
    await withServer(file, name, (server) => server.find(String(note.revision)));
    return 'readable';
  } catch (error) {
    if (error instanceof StatusError) return error.reason === 'Expired' ? 'gone' : error.message;
    return 'the server does not answer';
  }
}

async function list(file: KubeconfigFile): Promise<string> {
  const rows = [['CONTEXT', 'REVISION', 'TIME', 'KEPT UNTIL', 'STATE']];
  for (const context of file.contexts) {
    const note = noteOf(context);
    if (!note) continue;
    const { revision, time = '-', until = '-' } = note;
    rows.push([context.name, String(revision), time, until, await state(file, context.name, note)]);
  }
  if (rows.length === 1) return `no context of the past in ${file.path}`;
  const widths = (rows[0] ?? []).map((_, i) =>
    Math.max(...rows.map((cells) => (cells[i] ?? '').length)),
  );
  return rows.map((cells) => row(cells, widths)).join('\n');
}

async function releasePin(file: KubeconfigFile, name: string, note: PastNote): Promise<string> {
  const { pin, revision } = note;
  const shared = file.contexts.some((other) => other.name !== name && noteOf(other)?.pin === pin);
  if (pin === undefined || shared) return '';
  try {
    await withServer(file, name, (server) => server.release(revision, pin));
    return `, its pin ${pin} released`;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return `; its pin ${pin} ends by itself at ${note.until ?? 'its deadline'} (${why})`;
  }
}

async function remove(file: KubeconfigFile, what: string): Promise<string> {
  const isMeant = (entry: ContextEntry): boolean =>
    entry.name === what || String(noteOf(entry)?.revision) === what;
  const found = file.contexts.filter((entry) => noteOf(entry) && isMeant(entry));
  if (found.length === 0)
    throw new ConfigError(
      `${file.path} has no context of the past named ${JSON.stringify(what)}; see orrery at --list`,
    );
  const lines: string[] = [];
  for (const entry of found) {
    const note = noteOf(entry);
    const released = note ? await releasePin(file, entry.name, note) : '';
    file.remove(entry);
    lines.push(`context ${entry.name} removed${released}`);
  }
  file.write();
  return lines.join('\n');
}

/** `orrery at …`: contexts of the past in a kubeconfig; answers what to print. */
export async function at({ moment, flags }: AtCall): Promise<string> {
  const file = KubeconfigFile.read(kubeconfigPath(flags.kubeconfig, flags.name));
  try {
    if (flags.list) return await list(file);
    return await (flags.rm === '' ? open(file, moment, flags) : remove(file, flags.rm));
  } catch (error) {
    // What the server said is for the user; where in this program it arrived is not.
    if (error instanceof StatusError || error instanceof ConnectionError)
      throw new ConfigError(error.message, { cause: error });
    throw error;
  }
}
