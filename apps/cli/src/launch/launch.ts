import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script, constants } from 'node:vm';
import { compileCache } from '../cluster/compile-cache.js';
import { beginTestServer } from '../test-server/begin.js';
import type { BegunServer } from '../test-server/begin.js';
import { CodeCache } from './code-cache.js';
import type * as Components from './components.js';

/** The build's hash of the program. */
declare const ORRERY_PROGRAM_HASH: string;

const PROGRAM = 'program.cjs';
/** What runs all components: in an image nothing is written later, and its code is there for every role. */
const WHOLE = 'run';

/** What runs components in its process; all other commands load what they need, module by module. */
const OF_PROGRAM: readonly string[] = [
  'container-runtime',
  'hollow-nodes',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-proxy',
  'kube-scheduler',
  'kubelet',
  'node',
  'run',
  'test-server',
];

interface Module {
  readonly exports: Pick<typeof Components, 'run'>;
}
/** What the build makes of the components. */
type Program = (
  exports: object,
  require: NodeJS.Require,
  module: { exports: object },
  url: string,
) => void;

const componentDir = fileURLToPath(new URL('.', import.meta.url));
type Begun = Promise<BegunServer> | undefined;

/** All components as one script, made when what is begun needs this thread no more. What it is made of is not kept. */
async function loadScript(url: string, cache: CodeCache, begun: Begun): Promise<Script> {
  const cachedData = cache.read();
  // ASCII alone, as the build sees to.
  const text = readFileSync(fileURLToPath(url), 'latin1');
  await begun?.catch(() => undefined);
  return new Script(text, {
    filename: url,
    ...(cachedData && { cachedData }),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
}

/** What needs no program begins before it is loaded. */
function begin([command, flag, socket, ...more]: readonly string[]): Begun {
  if (command !== 'test-server' || flag !== '--socket' || socket === undefined || more.length > 0)
    return undefined;
  const begun = beginTestServer(socket, componentDir);
  // Met by who asks for it, when the program is there.
  begun.catch(() => undefined);
  return begun;
}

async function runProgram(name: string, role: string, begun: Begun): Promise<void> {
  const url = new URL(PROGRAM, import.meta.url).href;
  const cache = new CodeCache(join(compileCache(componentDir), ORRERY_PROGRAM_HASH), role, WHOLE);
  const script = await loadScript(url, cache, begun);
  const module = { exports: {} };
  (script.runInThisContext() as Program)(module.exports, createRequire(url), module, url);
  const keep = (): void => {
    process.off('exit', keep);
    cache.keep(script);
  };
  process.on('exit', keep);
  await (module.exports as Module['exports']).run(name, keep, begun);
}

const commandOf = ([first = '', second = '']: readonly string[]): string =>
  first.startsWith('--after-init=') ? second : first;

/** What of the program is used, which has code of its own. */
function roleOf(command: string, argv: readonly string[]): string {
  if (argv.includes('--help')) return 'help';
  const first = process.env['ORRERY_FIRST'];
  // Not for what it starts itself.
  delete process.env['ORRERY_FIRST'];
  return command === 'test-server' && first === 'api' ? 'test-server-api' : command;
}

/** Runs `orrery`, or the component of this name, with this process's arguments. */
export async function launch(name: string): Promise<void> {
  const argv = process.argv.slice(2);
  const command = name === 'orrery' ? commandOf(argv) : name;
  if (OF_PROGRAM.includes(command))
    await runProgram(name, roleOf(command, argv), begin(name === 'orrery' ? argv : []));
  else await import('./commands.js' as string);
}
