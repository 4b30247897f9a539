import { decodeTargets } from './decode-targets.js';
import { objectTargets } from './object-targets.js';

/** Everything that reads what a client sends. */
export const targets = [...decodeTargets, ...objectTargets];
