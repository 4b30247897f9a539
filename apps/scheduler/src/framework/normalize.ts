export const MAX_SCORE = 100;

/** Scales to 0..100 by the largest; reversed, the largest gets 0 (k8s plugins/helper/normalize_score.go). */
export function normalizeByLargest(scores: number[], reverse: boolean): void {
  let largest = 0;
  for (const score of scores) largest = Math.max(largest, score);
  if (largest === 0) {
    if (reverse) scores.fill(MAX_SCORE);
    return;
  }
  for (let i = 0; i < scores.length; i++) {
    const scaled = Math.floor((MAX_SCORE * (scores[i] ?? 0)) / largest);
    scores[i] = reverse ? MAX_SCORE - scaled : scaled;
  }
}
