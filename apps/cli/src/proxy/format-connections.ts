import type { RuledConnection } from '@orrery/dataplane';
import { columns } from '@orrery/kube-proxy';

const HEAD = [
  'PROTO',
  'CLIENT',
  'ADDRESS',
  'ENDPOINT',
  'SERVICE',
  'STATE',
  'AGE',
  'SENT',
  'RECEIVED',
];
const KIB = 1024;
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `1.5MiB`; whole bytes below 1 KiB. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= KIB && unit < UNITS.length - 1) {
    value /= KIB;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)}${UNITS[unit]}`;
}

function formatAge(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 180 ? `${minutes}m` : `${Math.floor(minutes / 60)}h`;
}

/** Who talks to whom, by service and client. */
export function formatConnections(connections: readonly RuledConnection[]): string {
  if (connections.length === 0) return 'No connections found.';
  const rows = connections.map((one) => [
    one.protocol,
    one.client,
    one.frontend,
    one.backend,
    one.rule,
    one.state,
    formatAge(one.ageMs),
    formatBytes(one.bytesToBackend),
    formatBytes(one.bytesFromBackend),
  ]);
  rows.sort((a, b) => `${a[4]} ${a[1]}`.localeCompare(`${b[4]} ${b[1]}`));
  return columns([HEAD, ...rows]).trimEnd();
}
