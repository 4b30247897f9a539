/** Header of a write that counts only under a Lease: `kube-system/kube-scheduler; transitions=7; holder=a_1`. */
export const FENCE_HEADER = 'fencing-lease';

/** The Lease under which a leader writes, as it was when it became leader. */
export interface Fence {
  readonly namespace: string;
  readonly name: string;
  /** spec.leaseTransitions: how often the Lease had passed to another by then. */
  readonly transitions: number;
  /** spec.holderIdentity; absent = whoever holds it. */
  readonly holder?: string;
}

const LONGEST_HEADER = 1024;
const LABEL = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/;

/** The header's value. */
export function formatFence({ namespace, name, transitions, holder }: Fence): string {
  const parts = [`${namespace}/${name}`, `transitions=${transitions}`];
  if (holder !== undefined) parts.push(`holder=${encodeURIComponent(holder)}`);
  return parts.join('; ');
}

/** Reads the header's value; undefined = it is malformed, and what it was to protect must not be done. */
export function parseFence(header: string): Fence | undefined {
  if (header.length > LONGEST_HEADER) return undefined;
  const [lease = '', ...rest] = header.split(';').map((part) => part.trim());
  const [namespace = '', name = '', none] = lease.split('/');
  const given = new Map(rest.map((part) => [...part.split('=', 2), ''].slice(0, 2) as Pair));
  const transitions = given.get('transitions') ?? '';
  const isOne =
    none === undefined &&
    LABEL.test(namespace) &&
    LABEL.test(name) &&
    /^\d{1,15}$/.test(transitions) &&
    given.size === rest.length &&
    [...given.keys()].every((key) => key === 'transitions' || key === 'holder');
  if (!isOne) return undefined;
  const holder = decode(given.get('holder'));
  if (holder === undefined && given.has('holder')) return undefined;
  return {
    namespace,
    name,
    transitions: Number(transitions),
    ...(holder === undefined ? {} : { holder }),
  };
}

type Pair = [string, string];

function decode(value: string | undefined): string | undefined {
  try {
    return value === undefined ? undefined : decodeURIComponent(value);
  } catch {
    return undefined;
  }
}
