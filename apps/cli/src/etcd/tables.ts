import type { AdminMember, Alarm, MemberStatus } from '@orrery/storage';

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Bytes as etcdctl shows them: `20 kB`, `2.1 MB`. */
export function humanBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = value < 10 && unit > 0 ? value.toFixed(1) : value.toFixed(0);
  return `${digits} ${UNITS[unit]}`;
}

/** A table as etcdctl draws it. */
export function drawTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)),
  );
  const rule = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+`;
  const line = (cells: readonly string[]): string =>
    `|${widths.map((width, i) => ` ${(cells[i] ?? '').padStart(width)} `).join('|')}|`;
  const title = `|${widths.map((width, i) => ` ${centre(head[i] ?? '', width)} `).join('|')}|`;
  return [rule, title, rule, ...rows.map(line), rule].join('\n');
}

function centre(text: string, width: number): string {
  const left = Math.floor((width - text.length) / 2);
  return ' '.repeat(left) + text.padEnd(width - left);
}

export type StatusRow = MemberStatus | { readonly endpoint: string; readonly problem: string };

export function statusTable(rows: readonly StatusRow[]): string {
  const head = [
    'ENDPOINT',
    'ID',
    'VERSION',
    'DB SIZE',
    'IN USE',
    'IS LEADER',
    'IS LEARNER',
    'RAFT TERM',
    'RAFT INDEX',
    'RAFT APPLIED INDEX',
    'REVISION',
    'ERRORS',
  ];
  return drawTable(head, rows.map(statusCells));
}

function statusCells(row: StatusRow): string[] {
  if ('problem' in row)
    return [row.endpoint, ...Array.from({ length: 10 }, () => '-'), row.problem];
  return [
    row.endpoint,
    row.id,
    row.version,
    humanBytes(row.dbSize),
    humanBytes(row.dbSizeInUse),
    String(row.isLeader),
    String(row.isLearner),
    String(row.raftTerm),
    String(row.raftIndex),
    String(row.raftAppliedIndex),
    String(row.revision),
    row.errors.join('; '),
  ];
}

export function memberTable(members: readonly AdminMember[]): string {
  const head = ['ID', 'STATUS', 'NAME', 'PEER ADDRS', 'CLIENT ADDRS', 'IS LEARNER'];
  const rows = members.map((member) => [
    member.id,
    member.name === '' ? 'unstarted' : 'started',
    member.name,
    member.peerUrls.join(','),
    member.clientUrls.join(','),
    String(member.isLearner),
  ]);
  return drawTable(head, rows);
}

export const alarmLines = (alarms: readonly Alarm[]): string =>
  alarms.length === 0
    ? 'no alarms'
    : alarms.map(({ memberId, alarm }) => `memberID:${memberId} alarm:${alarm}`).join('\n');
