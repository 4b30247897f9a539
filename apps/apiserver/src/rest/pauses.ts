import { finish } from '@orrery/apimachinery';
import type { Steps } from '@orrery/apimachinery';
import { giveWay, inTurns } from '@orrery/component';
import type { Call } from './call.js';

/** Bodies from which on a request lets others have their turn between its steps. */
const LARGE_BODY = 64 * 1024;

/** How a request with a large body lets others have their turn; absent = its body is small. */
export const pauseFor = ({ request }: Pick<Call, 'request'>): { pause?: () => Promise<void> } =>
  request.body.length > LARGE_BODY ? { pause: giveWay } : {};

/** Does something in one go, or, for a large body, step by step. */
export function inSteps<T>(call: Pick<Call, 'request'>, steps: Steps<T>): T | Promise<T> {
  return pauseFor(call).pause ? inTurns(steps) : finish(steps);
}
