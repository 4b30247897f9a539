// The base image that make-base-images.mjs makes carries this machine's npm cache and packages: it is good for one lock file and
// one list of packages.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/checkout.mjs';

export const LOCK_LABEL = 'dev.orrery.lock';

export const lockHash = () =>
  createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .update(readFileSync(join(root, 'test', 'compose', 'make-base-images.mjs')))
    .digest('hex');
