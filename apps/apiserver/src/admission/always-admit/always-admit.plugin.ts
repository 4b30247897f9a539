import type { AdmissionAttributes, AdmissionPlugin } from '@orrery/registry';
import { forbiddenBy } from '../forbidden.js';

/** Allows everything. */
export const alwaysAdmit: AdmissionPlugin = {
  name: 'AlwaysAdmit',
  handles: () => true,
};

/** Refuses every write (k8s plugin/pkg/admission/deny). */
export const alwaysDeny: AdmissionPlugin = {
  name: 'AlwaysDeny',
  handles: () => true,
  validate: (attributes: AdmissionAttributes) => {
    throw forbiddenBy(attributes, 'admission control is denying all modifications');
  },
};
