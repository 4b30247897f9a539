import type { RowResult } from '../../report/scorecard.js';
import type { RowContext } from '../row.js';
import { etcd15220 } from './etcd-15220.js';
import { etcd3WatchLoss } from './etcd3-watch-loss.js';
import type { KnownBug, Reproduction } from './known-bug.js';
import { restoreRewind } from './restore-rewind.js';
import { staleRvZero } from './stale-rv-zero.js';

export const KNOWN_BUGS: readonly KnownBug[] = [
  etcd15220,
  etcd3WatchLoss,
  restoreRewind,
  staleRvZero,
];

function describe({ isReproduced, isCorrected, isViolation }: Reproduction): string {
  if (isViolation) return 'VIOLATED BY US';
  if (isReproduced) return 'reproduced';
  return isCorrected ? 'corrected in this version' : 'not reproduced';
}

/** Row 9: bugs of others, made to happen; where the project promises better, it is held to it in the same breath. */
export async function runKnownBugs(context: RowContext): Promise<RowResult> {
  const details: string[] = [];
  let [reproduced, corrected, violations] = [0, 0, 0];
  for (const bug of KNOWN_BUGS) {
    if (context.signal.aborted) break;
    context.say(`row 9: ${bug.name}`);
    const found = await bug.run(context);
    if (found.isReproduced) reproduced++;
    else if (found.isCorrected) corrected++;
    if (found.isViolation) violations++;
    details.push(`${bug.name}: ${describe(found)}: ${found.detail}`);
  }
  const isMet = reproduced + corrected === KNOWN_BUGS.length;
  const rest = corrected > 0 ? `, ${corrected} corrected` : '';
  return {
    row: 9,
    value: `${reproduced}/${KNOWN_BUGS.length}${rest}`,
    verdict: violations > 0 ? 'violated' : isMet ? 'met' : 'below',
    details,
  };
}
