import { describeActor, describeChange, isNoise } from '@orrery/history';
import type { Change, Write } from '@orrery/history';

const SIGNS = { ADDED: '+', MODIFIED: '~', DELETED: '-' } as const;

/** `+` made, `~` changed, `-` deleted */
export const signOf = ({ type }: Pick<Write, 'type'>): string => SIGNS[type];

/** `03:52:43.202`, in UTC as in the rest of the cluster; dashes where no time was recorded. */
export const clockTime = ({ time }: Pick<Write, 'time'>): string =>
  time?.slice(11, 23) ?? '--:--:--.---';

const FEW = 5;

/** The changes of a write, one a line; in short, those that matter and not more than a few. */
export function changeLines(
  { changes, moreChanges = 0 }: Pick<Write, 'changes' | 'moreChanges'>,
  { isFull, indent }: { readonly isFull: boolean; readonly indent: string },
): string[] {
  const telling = changes.filter((change) => !isNoise(change));
  const shown: readonly Change[] = isFull
    ? changes
    : (telling.length > 0 ? telling : changes).slice(0, FEW);
  const left = changes.length - shown.length + moreChanges;
  return [
    ...shown.map((change) => `${indent}${describeChange(change, isFull ? 10_000 : 60)}`),
    ...(left > 0 ? [`${indent}… ${left} more${isFull ? '' : ' (--full)'}`] : []),
  ];
}

/** `update status`, as the request was. */
export const requestOf = ({ verb = '', subresource = '' }: Write): string =>
  [verb, subresource].filter((part) => part !== '').join(' ');

/** Who wrote, and with which kind of request. */
export function whoLine(write: Write): string {
  if (write.isCompacted) return 'who wrote it is compacted away';
  const how = requestOf(write);
  return `${describeActor(write.actor)}${how === '' ? '' : `, ${how}`}`;
}
