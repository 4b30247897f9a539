import type { NodeScore } from './plugin.js';

export const MAX_SCORE = 100;

/** Scales to 0..100 by the largest; reversed, the largest gets 0 (k8s plugins/helper/normalize_score.go). */
export function normalizeByLargest(scores: readonly NodeScore[], reverse: boolean): void {
  let largest = 0;
  for (const { score } of scores) largest = Math.max(largest, score);
  for (const each of scores) {
    if (largest === 0) each.score = reverse ? MAX_SCORE : each.score;
    else {
      const scaled = Math.floor((MAX_SCORE * each.score) / largest);
      each.score = reverse ? MAX_SCORE - scaled : scaled;
    }
  }
}
