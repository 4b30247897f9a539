import { newForbidden } from '@orrery/apimachinery';
import type { AdmissionAttributes, AdmissionPlugin } from '@orrery/registry';
import { resourceOf } from '../pod-request.js';

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
    throw newForbidden(
      resourceOf(attributes),
      attributes.name,
      'admission control is denying all modifications',
    );
  },
};
