import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { invalid } from '@orrery/apimachinery';
import type { Device, ResourceSliceSpec } from '../../../gen/types/resource.v1.js';
import { given, when } from '../../../meta/findings.js';
import { check, dnsSubdomain } from '../../../meta/names.js';
import { validateNodeSelector } from '../../../core/v1/pod-spec/scheduling.validation.js';

type Nodes = Pick<Partial<ResourceSliceSpec> & Device, 'nodeName' | 'nodeSelector' | 'allNodes'>;

/** The ways in which it is said from where devices can be reached. */
export const setNodes = ({ nodeName, nodeSelector, allNodes }: Partial<Nodes>): string[] => [
  ...(nodeName ? ['`nodeName`'] : []),
  ...(nodeSelector ? ['`nodeSelector`'] : []),
  ...(allNodes ? ['`allNodes`'] : []),
];

export const UNSET_OR_TRUE = 'must be either unset or set to true';

/** Each of the ways by itself. */
export const validateSetNodes = (
  { nodeName, nodeSelector, allNodes }: Partial<Nodes>,
  path: Path,
  emptyName: string,
): FieldError[] => [
  ...given(nodeName, (name) =>
    name === ''
      ? [invalid(path.child('nodeName'), name, emptyName)]
      : check(dnsSubdomain, name, path.child('nodeName')),
  ),
  ...validateNodeSelector(nodeSelector, path.child('nodeSelector')),
  ...when(allNodes === false, invalid(path.child('allNodes'), false, UNSET_OR_TRUE)),
];
