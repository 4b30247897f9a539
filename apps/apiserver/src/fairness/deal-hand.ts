import { createHash } from 'node:crypto';

/**
 * The queues that a flow may use: `size` different ones of `count`, always the same for the same flow, so that a flow
 * that floods its hand leaves others at least one queue (k8s apiserver util/shufflesharding/dealer.go).
 */
export function dealHand(flow: string, count: number, size: number): number[] {
  let left = createHash('sha256').update(flow).digest().readBigUInt64BE();
  const hand: number[] = [];
  for (let i = 0; i < Math.min(size, count); i += 1) {
    const rest = BigInt(count - i);
    let card = Number(left % rest);
    left /= rest;
    for (const taken of [...hand].sort((a, b) => a - b)) if (card >= taken) card += 1;
    hand.push(card);
  }
  return hand;
}
