// The image that the Dockerfile makes, in the engine of DOCKER_HOST.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { projectNode, root, run, say } from '../../scripts/checkout.mjs';
import { LOCK_LABEL, lockHash } from './lock-hash.mjs';

const script = (name) => join(root, 'test', 'compose', name);

/** A pulled image is good; one that we made, for the lock file that it was made for. */
function baseImageIsGood() {
  const format = `{{index .Config.Labels "${LOCK_LABEL}"}}`;
  const child = spawnSync('docker', ['image', 'inspect', '-f', format, 'node:24-bookworm-slim'], {
    encoding: 'utf8',
  });
  return child.status === 0 && ['', lockHash()].includes(child.stdout.trim());
}

/** Builds orrery:local, its base images first where they cannot be pulled; `build` runs Compose's build. */
export function ensureImage(build) {
  if (!baseImageIsGood() && run(projectNode(), [script('make-base-images.mjs')]) !== 0)
    throw new Error('no base images');
  say('building the image');
  build();
}
