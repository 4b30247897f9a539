import type { Pod } from '@orrery/api';
import type { AdmissionAttributes } from '@orrery/registry';

/** The pod of a request for the pod itself; undefined for every other request. */
export function podOf(attributes: AdmissionAttributes): Pod | undefined {
  const { kind, subresource, object } = attributes;
  if (kind.group !== '' || kind.plural !== 'pods' || subresource !== '') return undefined;
  return object as Pod | undefined;
}
