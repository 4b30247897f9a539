/** The program /agnhost of images of that name: `agnhost SUB-COMMAND …` (k8s test/images/agnhost). */
import { SystemClock, SystemRandom } from '@orrery/component';
import { Fatal, textOf } from './programs/agnhost/agnhost.js';
import type { Agnhost } from './programs/agnhost/agnhost.js';
import { SUB_COMMANDS } from './programs/agnhost/sub-commands.js';

/** Go's exit code after a signal. */
const TERMINATED = 2;

const [name = '', ...words] = process.argv.slice(2);
const [command = '', ...args] = words;
const clock = new SystemClock();
let onTerminate = (): void => {
  process.exit(TERMINATED);
};
const KEEP_ALIVE_MS = 3_600_000;
const pad = (value: number, width = 2): string => String(value).padStart(width, '0');

/** A program that waits goes on. */
function keepAlive(): void {
  clock.after(KEEP_ALIVE_MS, keepAlive);
}

function goLogTime(): string {
  const now = new Date(clock.now());
  const day = [now.getUTCFullYear(), pad(now.getUTCMonth() + 1), pad(now.getUTCDate())].join('/');
  return `${day} ${now.toISOString().slice(11, 19)}`;
}

function klogHeader(severity: string): string {
  const now = new Date(clock.now());
  const day = pad(now.getUTCMonth() + 1) + pad(now.getUTCDate());
  return `${severity}${day} ${now.toISOString().slice(11, 23)}000 ${pad(process.pid, 7)} ${command}.go:1]`;
}

const host: Agnhost = {
  argv: [name, ...words],
  args,
  env: process.env,
  listen: process.env['ORRERY_LISTEN'] ?? '',
  root: process.env['ORRERY_ROOTFS'] ?? '/',
  clock,
  random: new SystemRandom(),
  print: (text) => process.stdout.write(text),
  log: (text) => process.stderr.write(`${goLogTime()} ${text.replace(/\n$/, '')}\n`),
  klog: (severity, text) => process.stderr.write(`${klogHeader(severity)} ${text}\n`),
  exit: (code) => process.exit(code),
  onTerminate: (handler) => {
    onTerminate = handler;
  },
};
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.on(signal, () => {
    onTerminate();
  });
const run = SUB_COMMANDS[command];
try {
  if (!run) throw new Fatal(`unknown command "${command}" for "app"`);
  keepAlive();
  process.exit(await run(host));
} catch (error) {
  host.log(error instanceof Fatal ? error.message : textOf(error));
  process.exit(1);
}
