import { ConfigError, parseFlags } from '@orrery/component';

export type Print = (text: string) => void;

/** What a command is given. */
export interface CommandParts {
  /** The words after the command. */
  readonly rest: readonly string[];
  readonly signal: AbortSignal;
  readonly print: Print;
}

export type Command = (parts: CommandParts) => Promise<void>;

/** The words before the first flag are arguments. */
function splitArguments(argv: readonly string[]): [words: string[], flags: string[]] {
  const at = argv.findIndex((arg) => arg.startsWith('-'));
  return at < 0 ? [[...argv], []] : [argv.slice(0, at), argv.slice(at)];
}

/** `orrery ps|kill|stop|start`. */
const control =
  (verb: 'ps' | 'kill' | 'stop' | 'start'): Command =>
  async ({ rest, print }) => {
    const { ProcessFlags, controlProcess } = await import('./commands/processes.js');
    const [words, flags] = splitArguments(rest);
    print(await controlProcess(verb, words[0], parseFlags(ProcessFlags, flags, `orrery ${verb}`)));
  };

/** Commands of a cluster that this program runs. */
const SUPERVISED: Readonly<Record<string, Command>> = {
  up: async ({ rest, signal }) => {
    const { UpFlags } = await import('./commands/up-flags.js');
    const flags = parseFlags(UpFlags, rest, 'orrery up');
    await (await import('./commands/up.js')).up(flags, signal);
  },
  run: async ({ rest: [file], signal }) => {
    if (file === undefined) throw new ConfigError('orrery run needs a file of components');
    await (await import('./commands/run.js')).run(file, signal);
  },
  sweep: async ({ rest: [dir, supervisor] }) => {
    if (dir === undefined || supervisor === undefined)
      throw new ConfigError(
        'orrery sweep needs the folder of a cluster and the process that ran it',
      );
    await (await import('./commands/sweep.js')).sweep(dir, Number(supervisor));
  },
  ps: control('ps'),
  kill: control('kill'),
  stop: control('stop'),
  start: control('start'),
  'test-server': async ({ rest, signal }) => {
    const { TestServerFlags, testServerCommand } = await import('./test-server/test-server.js');
    await testServerCommand(parseFlags(TestServerFlags, rest, 'orrery test-server'), signal);
  },
};

/** Commands that ask a cluster, or look after it. */
const ASKING: Readonly<Record<string, Command>> = {
  etcd: async ({ rest, print }) => (await import('./etcd/etcd-command.js')).etcd(rest, print),
  at: async ({ rest, print }) => {
    const [{ parseAt }, { at }] = await Promise.all([
      import('./at/at-flags.js'),
      import('./at/at.js'),
    ]);
    print(await at(parseAt(rest)));
  },
  fork: async ({ rest, signal, print }) => {
    const [{ parseFork }, { fork }] = await Promise.all([
      import('./fork/fork-flags.js'),
      import('./fork/fork.js'),
    ]);
    await fork(parseFork(rest), { signal, print });
  },
  proxy: async ({ rest, print }) => (await import('./proxy/proxy-command.js')).proxy(rest, print),
  history: async ({ rest, print }) =>
    (await import('./history/history-command.js')).history(rest, print),
  diff: async ({ rest, print }) => (await import('./history/diff-command.js')).diff(rest, print),
  log: async ({ rest, signal, print }) =>
    (await import('./history/log-command.js')).log(rest, signal, print),
  explain: async ({ rest, print }) =>
    (await import('./history/explain-command.js')).explain(rest, print),
};

/** Commands that make up a cluster piece by piece. */
const PIECES: Readonly<Record<string, Command>> = {
  'init-cluster': async ({ rest, print }) => {
    const { InitClusterFlags, initCluster } = await import('./init-cluster/init-cluster.js');
    print(await initCluster(parseFlags(InitClusterFlags, rest, 'orrery init-cluster')));
  },
  'install-addons': async ({ rest, signal, print }) => {
    const found = await import('./commands/install-addons.js');
    const flags = parseFlags(found.InstallAddonsFlags, rest, 'orrery install-addons');
    print(await found.installAddonsCommand(flags, signal));
  },
  node: async ({ rest, signal }) => {
    const { NodeFlags } = await import('./commands/node-flags.js');
    const flags = parseFlags(NodeFlags, rest, 'orrery node');
    await (await import('./commands/node.js')).node(flags, signal);
  },
};

/** Every command that is not a component, each loaded when it is asked for: most need a small part of the program. */
export const COMMANDS: Readonly<Record<string, Command>> = { ...SUPERVISED, ...ASKING, ...PIECES };
