import { FlowSchemaKind } from '../../flowcontrol/v1/flowschema/flowschema.kind.js';
import { PriorityLevelConfigurationKind } from '../../flowcontrol/v1/prioritylevelconfiguration/prioritylevelconfiguration.kind.js';
import type { Json } from '../json.js';
import { changedFields, renamed, reversed } from '../json.js';
import type { HubConversion, RemovedVersion } from '../removed-kind.js';
import { removedKind } from '../removed-kind.js';

const SHARES = { assuredConcurrencyShares: 'nominalConcurrencyShares' };

const withLimited = (object: Json, names: Readonly<Record<string, string>>): Json =>
  changedFields(object, 'spec', (spec) =>
    changedFields(spec, 'limited', (limited) => renamed(limited, names)),
  );

/** Until v1beta3 the nominal shares of a level were called assured. */
const assuredShares: HubConversion = {
  toHub: (object) => withLimited(object, SHARES),
  fromHub: (hub) => withLimited(hub, reversed(SHARES)),
};

const THIRD = 'flowcontrol.apiserver.k8s.io/v1beta3';

const versions: readonly (Omit<RemovedVersion, 'lifecycle'> & {
  readonly deprecated: string;
  readonly removed: string;
})[] = [
  { version: 'v1beta3', deprecated: '1.29', removed: '1.32' },
  { version: 'v1beta2', deprecated: '1.26', removed: '1.29', conversion: assuredShares },
  { version: 'v1beta1', deprecated: '1.23', removed: '1.26', conversion: assuredShares },
];

export const removedFlowcontrol = versions.flatMap(
  ({ version, deprecated, removed, conversion }) => {
    const lifecycle = (kind: string): RemovedVersion['lifecycle'] => ({
      deprecated,
      removed,
      ...(version === 'v1beta3' ? {} : { replacement: `${THIRD} ${kind}` }),
    });
    return [
      removedKind(FlowSchemaKind, { version, lifecycle: lifecycle('FlowSchema') }),
      removedKind(PriorityLevelConfigurationKind, {
        version,
        lifecycle: lifecycle('PriorityLevelConfiguration'),
        ...(conversion ? { conversion } : {}),
      }),
    ];
  },
);
