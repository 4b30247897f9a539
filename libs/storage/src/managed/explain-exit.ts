import { ManagedEtcdError } from './managed-etcd-error.js';
import type { ManagedEtcdErrorCode } from './managed-etcd-error.js';

export interface FailedMember {
  readonly name: string;
  readonly dataDir: string;
  readonly clientUrl: string;
  readonly peerUrl: string;
}

interface Cause {
  readonly match: RegExp;
  readonly code: ManagedEtcdErrorCode;
  readonly say: (member: FailedMember, found: string) => string;
}

/** What etcd 3.4-3.6 log before they give up. */
const CAUSES: readonly Cause[] = [
  {
    match: /listen tcp ([\d.:[\]a-f]+): bind: address already in use/,
    code: 'portInUse',
    say: (_, address) =>
      `another program listens on ${address}; end it, or choose another address for etcd`,
  },
  {
    match: /listen tcp ([\d.:[\]a-f]+): bind: cannot assign requested address/,
    code: 'addressUnavailable',
    say: (_, address) => `${address} is not an address of this machine`,
  },
  {
    match: /no space left on device/,
    code: 'diskFull',
    say: ({ dataDir }) => `the disk that holds ${dataDir} is full; free some space and start again`,
  },
  {
    match: /lower than determined cluster version|invalid downgrade|cannot be downgraded/,
    code: 'version',
    say: ({ dataDir }) =>
      `${dataDir} was written by a newer etcd; use that one (--etcd-bin or ORRERY_ETCD_BIN), or start with --fresh to begin again empty`,
  },
  {
    match: /permission denied/,
    code: 'permission',
    say: ({ dataDir }) => `${dataDir} cannot be written by this user`,
  },
  {
    match:
      /crc mismatch|invalid database|failed to read WAL|failed to recover v3 backend|file unexpectedly short|unexpected EOF|version mismatch|failed to open WAL|wal: /,
    code: 'corruptData',
    say: ({ dataDir }) =>
      `the data in ${dataDir} is damaged; restore a snapshot of it, or delete the folder (or start with --fresh) to begin again empty`,
  },
  {
    match: /flocked by another process|file already locked/,
    code: 'dataInUse',
    say: ({ dataDir }) => `another etcd uses ${dataDir}; end it first`,
  },
  {
    match: /has already been bootstrapped/,
    code: 'corruptData',
    say: ({ dataDir }) =>
      `the cluster knows this member, but ${dataDir} is empty; remove the member and add it again`,
  },
];

/** One clear reason for a member that ended, from the end of its log. */
export function explainExit(member: FailedMember, log: string, how: string): ManagedEtcdError {
  for (const { match, code, say } of CAUSES) {
    const found = match.exec(log);
    if (found) {
      return new ManagedEtcdError(code, `etcd ${member.name}: ${say(member, found[1] ?? '')}`);
    }
  }
  const last = lastComplaint(log);
  return new ManagedEtcdError('exited', `etcd ${member.name} ${how}${last && `: ${last}`}`);
}

/** The text of the last error or fatal line, else of the last line. */
function lastComplaint(log: string): string {
  const lines = log.trim().split('\n');
  const worst = lines.findLast((line) =>
    /"level":"(?:error|fatal|panic)"|^(?:panic|flag)/.test(line),
  );
  return textOf(worst ?? lines.at(-1) ?? '');
}

function textOf(line: string): string {
  try {
    const { msg, error } = JSON.parse(line) as { msg?: unknown; error?: unknown };
    return [msg, error].filter((part) => typeof part === 'string').join(': ');
  } catch {
    return line;
  }
}
