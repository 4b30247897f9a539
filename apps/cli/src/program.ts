import { ConfigError, KUBERNETES_VERSION, SystemClock } from '@orrery/component';
import { APPS } from './apps.js';
import { COMMANDS } from './command-table.js';
import type { Command, Print } from './command-table.js';

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
  orrery --after-init=DIR,TEXT …  any of these, once init-cluster --completion=TEXT has ended
  orrery install-addons  make the objects of kube-proxy            orrery install-addons --help
  orrery node            run a whole node in this process          orrery node --help
  orrery relay           one address for several API servers      orrery relay --help
  orrery COMPONENT       run one component in this process: ${Object.keys(APPS).join(', ')}
`;

/** The command, or the component, of this name. */
function find(name: string): Command | undefined {
  const command = COMMANDS[name];
  const load = APPS[name];
  if (command || !load) return command;
  return async ({ rest, signal }) => (await load()).run(rest, { signal });
}

/** How long the certificates of a cluster may take, on a very busy machine. */
const INIT_WAIT_MS = 60_000;
const RENEWAL_WAIT_MS = 10_000;
const AFTER_INIT = '--after-init';

async function loadAll(file: string): Promise<void> {
  await (await import('./commands/run.js')).loadAll(file);
}

/** `--after-init=DIR,TEXT` before the command: waits until `init-cluster --completion=TEXT` has made all. */
async function afterInit(
  flag: string,
  [name = '', file = '']: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const [, dir, of] = /^--after-init=(.+),([^,]+)$/.exec(flag) ?? [];
  if (dir === undefined || of === undefined)
    throw new ConfigError(
      `${flag}: it must be ${AFTER_INIT}=DIR,TEXT of init-cluster --completion`,
    );
  const { untilCompleted } = await import('./init-cluster/completion.js');
  const clock = new SystemClock();
  const limits = { waitMs: INIT_WAIT_MS, renewalMs: RENEWAL_WAIT_MS };
  // Loaded meanwhile: it is needed next.
  const loading = name === 'run' ? loadAll(file) : Object.hasOwn(APPS, name) && APPS[name]?.();
  await Promise.all([untilCompleted({ clock, signal, dir, of, ...limits }), loading]);
}

/** Runs one command of the `orrery` program; what it prints goes to `print`. */
export async function program(
  argv: readonly string[],
  signal: AbortSignal,
  print: Print,
): Promise<void> {
  const [flag = ''] = argv;
  const waits = flag.startsWith(AFTER_INIT);
  const [name = 'help', ...rest] = waits ? argv.slice(1) : argv;
  if (waits) await afterInit(flag, argv.slice(1), signal);
  if (name === 'version') print(KUBERNETES_VERSION);
  else if (['help', '--help', '-h'].includes(name)) print(USAGE);
  else {
    const command =
      Object.hasOwn(COMMANDS, name) || Object.hasOwn(APPS, name) ? find(name) : undefined;
    if (!command) throw new ConfigError(`unknown command ${name}\n${USAGE}`);
    await command({ rest, signal, print });
  }
}
