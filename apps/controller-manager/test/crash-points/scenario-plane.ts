import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SystemClock } from '@orrery/component';
import { createCa, generateKeyPair, privateKeyToPem } from '@orrery/pki';
import { useControlPlane } from '../control-plane.js';
import type { ControlPlane } from '../control-plane.js';

/** Of somebody who may do everything. */
export const MASTER = 'master-of-all-worlds';

/** The API server whose forks are the worlds of all trials, with the files that scenarios' flags name. */
export const useScenarioPlane = (): ControlPlane =>
  useControlPlane({
    token: MASTER,
    apiFlags: (folder) => [
      '--authorization-mode=RBAC',
      `--token-auth-file=${join(folder, 'tokens.csv')}`,
    ],
    async prepare(folder) {
      const ca = await createCa('kubernetes', new SystemClock().now());
      writeFileSync(join(folder, 'ca.crt'), ca.certPem);
      writeFileSync(join(folder, 'tokens.csv'), `${MASTER},master,1,system:masters\n`);
      writeFileSync(join(folder, 'ca.key'), ca.keyPem);
      writeFileSync(join(folder, 'sa.key'), privateKeyToPem((await generateKeyPair()).privateKey));
    },
  });
