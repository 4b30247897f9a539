import type { RowResult } from '../../report/scorecard.js';
import type { RowContext } from '../row.js';
import { etcd15220 } from './etcd-15220.js';
import { etcd3WatchLoss } from './etcd3-watch-loss.js';
import type { KnownBug } from './known-bug.js';
import { restoreRewind } from './restore-rewind.js';
import { staleRvZero } from './stale-rv-zero.js';

export const KNOWN_BUGS: readonly KnownBug[] = [
  etcd15220,
  etcd3WatchLoss,
  restoreRewind,
  staleRvZero,
];

/** Row 9: bugs of others, made to happen; where the project promises better, it is held to it in the same breath. */
export async function runKnownBugs(context: RowContext): Promise<RowResult> {
  const details: string[] = [];
  let [reproduced, violations] = [0, 0];
  for (const bug of KNOWN_BUGS) {
    if (context.signal.aborted) break;
    context.say(`row 9: ${bug.name}`);
    const { isReproduced, isViolation = false, detail } = await bug.run(context);
    if (isReproduced) reproduced++;
    if (isViolation) violations++;
    const verdict = isViolation ? 'VIOLATED BY US' : isReproduced ? 'reproduced' : 'not reproduced';
    details.push(`${bug.name}: ${verdict}: ${detail}`);
  }
  const isMet = reproduced === KNOWN_BUGS.length;
  return {
    row: 9,
    value: `${reproduced}/${KNOWN_BUGS.length}`,
    verdict: violations > 0 ? 'violated' : isMet ? 'met' : 'below',
    details,
  };
}
