import { ConfigError, KUBERNETES_VERSION, parseFlags } from '@orrery/component';
import { APPS } from './apps.js';
import { parseAt } from './at/at-flags.js';
import { at } from './at/at.js';
import { InitClusterFlags, initCluster } from './commands/init-cluster.js';
import { InstallAddonsFlags, installAddonsCommand } from './commands/install-addons.js';
import { NodeFlags } from './commands/node-flags.js';
import { node } from './commands/node.js';
import { ProcessFlags, controlProcess } from './commands/processes.js';
import { run } from './commands/run.js';
import { sweep } from './commands/sweep.js';
import { TestServerFlags, testServerCommand } from './test-server/test-server.js';
import { up } from './commands/up.js';
import { etcd } from './etcd/etcd-command.js';
import { parseFork } from './fork/fork-flags.js';
import { fork } from './fork/fork.js';
import { UpFlags } from './commands/up-flags.js';
import { diff } from './history/diff-command.js';
import { explain } from './history/explain-command.js';
import { history } from './history/history-command.js';
import { log } from './history/log-command.js';
import { proxy } from './proxy/proxy-command.js';

const USAGE = `Orrery: a working model of a Kubernetes cluster on a real etcd cluster

  orrery up       run a cluster until Ctrl-C (npm start)          orrery up --help
  orrery ps       the processes of the running cluster            [--name NAME]
  orrery kill     send a signal to one: orrery kill PROCESS        [--signal SIGKILL] [--name NAME]
  orrery stop     stop one and leave it stopped: orrery stop PROCESS
  orrery start    start a stopped one again: orrery start PROCESS
  orrery etcd     look after etcd: status, members, snapshot, …    orrery etcd help
  orrery at       a kubectl context of the past: orrery at -5m      orrery at --help
  orrery history  every write of an object: who, when, what, why   TYPE/NAME [-n NAMESPACE]
  orrery diff     what changed between two moments                 --from -5m [--to R] [TYPE] [-n|-A]
  orrery log      what happens, one line a revision                [-f] [--since -10m] [TYPE]
  orrery explain  the chain of causes behind a state               TYPE/NAME [-o text|json|svg|html]
  orrery fork     a writable copy: orrery fork NAME [--at R] [--run]; fork ls, diff, rm, run
  orrery proxy    what kube-proxy programs, who talks to whom      proxy rules [--as …]; proxy connections; proxy handover
  orrery version  the Kubernetes version that is modelled

For clusters that something else supervises, such as docker compose:

  orrery init-cluster    make certificates and kubeconfigs         orrery init-cluster --help
  orrery install-addons  make the objects of kube-proxy            orrery install-addons --help
  orrery node            run a whole node in this process          orrery node --help
  orrery relay           one address for several API servers      orrery relay --help
  orrery COMPONENT       run one component in this process: ${Object.keys(APPS).join(', ')}
`;

type Verb = 'ps' | 'kill' | 'stop' | 'start';
const isControlVerb = (text: string): text is Verb =>
  ['ps', 'kill', 'stop', 'start'].includes(text);

type Print = (text: string) => void;
type Parts = { readonly rest: readonly string[]; readonly signal: AbortSignal };

/** The commands that make up a cluster piece by piece; undefined = no such command. */
function piece(command: string, { rest, signal }: Parts, print: Print): Promise<void> | undefined {
  if (command === 'init-cluster')
    return initCluster(parseFlags(InitClusterFlags, rest, 'orrery init-cluster')).then(print);
  if (command === 'install-addons')
    return installAddonsCommand(
      parseFlags(InstallAddonsFlags, rest, 'orrery install-addons'),
      signal,
    ).then(print);
  if (command === 'test-server')
    return testServerCommand(parseFlags(TestServerFlags, rest, 'orrery test-server'), signal);
  if (command === 'at') return at(parseAt(rest)).then(print);
  if (command === 'proxy') return proxy(rest, print);
  if (command === 'history') return history(rest, print);
  if (command === 'diff') return diff(rest, print);
  if (command === 'log') return log(rest, signal, print);
  if (command === 'explain') return explain(rest, print);
  if (command === 'fork') return fork(parseFork(rest), { signal, print });
  if (command === 'node') return node(parseFlags(NodeFlags, rest, 'orrery node'), signal);
  return APPS[command]?.().then((app) => app.run(rest, { signal }));
}

/** The words before the first flag are arguments. */
function splitArguments(argv: readonly string[]): [words: string[], flags: string[]] {
  const at = argv.findIndex((arg) => arg.startsWith('-'));
  return at < 0 ? [[...argv], []] : [argv.slice(0, at), argv.slice(at)];
}

/** Runs one command of the `orrery` program; what it prints goes to `print`. */
export async function program(
  argv: readonly string[],
  signal: AbortSignal,
  print: Print,
): Promise<void> {
  const [command = 'help', ...rest] = argv;
  if (command === 'up') {
    await up(parseFlags(UpFlags, rest, 'orrery up'), signal);
  } else if (command === 'run') {
    if (rest[0] === undefined) throw new ConfigError('orrery run needs a file of components');
    await run(rest[0], signal);
  } else if (command === 'etcd') {
    await etcd(rest, print);
  } else if (command === 'sweep') {
    const [dir, supervisor] = rest;
    if (dir === undefined || supervisor === undefined)
      throw new ConfigError(
        'orrery sweep needs the folder of a cluster and the process that ran it',
      );
    await sweep(dir, Number(supervisor));
  } else if (isControlVerb(command)) {
    const [words, flags] = splitArguments(rest);
    print(
      await controlProcess(command, words[0], parseFlags(ProcessFlags, flags, `orrery ${command}`)),
    );
  } else if (command === 'version') print(KUBERNETES_VERSION);
  else if (['help', '--help', '-h'].includes(command)) print(USAGE);
  else {
    const running = piece(command, { rest, signal }, print);
    if (!running) throw new ConfigError(`unknown command ${command}\n${USAGE}`);
    await running;
  }
}
