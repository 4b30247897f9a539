import { CustomResourceDefinitionKind } from '../../apiextensions/v1/customresourcedefinition/customresourcedefinition.kind.js';
import { isDeepEqual, list } from '../../meta/list.js';
import type { Json } from '../json.js';
import {
  changedFields,
  changedItems,
  defined,
  fieldsOf,
  isObject,
  renamed,
  reversed,
  without,
} from '../json.js';
import { removedKind } from '../removed-kind.js';

/** Each field of a version, and where v1beta1 has it when all versions agree. */
const SHARED = {
  subresources: 'subresources',
  schema: 'validation',
  additionalPrinterColumns: 'additionalPrinterColumns',
  selectableFields: 'selectableFields',
} as const;
const COLUMN = { JSONPath: 'jsonPath' };

const versionsOf = (spec: Json): readonly Json[] => list(spec['versions'] as Json[] | undefined);

function conversionToHub(conversion: Json): Json {
  const { webhookClientConfig: clientConfig, conversionReviewVersions } = conversion;
  const rest = without(conversion, 'webhookClientConfig', 'conversionReviewVersions');
  if (clientConfig === undefined && conversionReviewVersions === undefined) return rest;
  return { ...rest, webhook: defined({ clientConfig, conversionReviewVersions }) };
}

function conversionFromHub(conversion: Json): Json {
  const { clientConfig: webhookClientConfig, conversionReviewVersions } = fieldsOf(
    conversion['webhook'],
  );
  return defined({
    ...without(conversion, 'webhook'),
    webhookClientConfig,
    conversionReviewVersions,
  });
}

/** k8s apiextensions pkg/apis/apiextensions/v1/conversion.go: what all versions share goes to each of them. */
function specToHub(spec: Json): Json {
  const name = spec['version'];
  const given = versionsOf(spec);
  const versions =
    given.length === 0 && typeof name === 'string' && name !== ''
      ? [{ name, served: true, storage: true }]
      : given;
  const shared = Object.fromEntries(
    Object.entries(SHARED).flatMap(([field, above]) =>
      spec[above] === undefined || spec[above] === null ? [] : [[field, spec[above]]],
    ),
  );
  const rest = without(spec, 'version', 'preserveUnknownFields', ...Object.values(SHARED));
  const made = changedFields(
    {
      ...rest,
      ...(spec['preserveUnknownFields'] === true ? { preserveUnknownFields: true } : {}),
      ...(versions.length > 0 ? { versions: versions.map((one) => ({ ...one, ...shared })) } : {}),
    },
    'conversion',
    conversionToHub,
  );
  return changedItems(made, 'versions', (version) =>
    changedItems(version, 'additionalPrinterColumns', (column) => renamed(column, COLUMN)),
  );
}

/** What all versions share is told once, beside them. */
function specFromHub(spec: Json): Json {
  const made = changedFields(
    changedItems({ preserveUnknownFields: false, ...spec }, 'versions', (version) =>
      changedItems(version, 'additionalPrinterColumns', (column) =>
        renamed(column, reversed(COLUMN)),
      ),
    ),
    'conversion',
    conversionFromHub,
  );
  const versions = versionsOf(made);
  const [first] = versions;
  if (!first) return made;
  const common = Object.keys(SHARED).filter((field) =>
    versions.every((version) => isDeepEqual(version[field], first[field])),
  );
  const shared = Object.entries(SHARED)
    .filter(([field]) => common.includes(field))
    .map(([field, above]): [string, unknown] => [above, first[field]]);
  return defined({
    ...made,
    version: first['name'],
    ...Object.fromEntries(shared),
    versions: versions.map((version) => without(version, ...common)),
  });
}

const OPEN = 'x-kubernetes-preserve-unknown-fields';

const opened = (holder: unknown): Json => ({
  ...fieldsOf(holder),
  openAPIV3Schema: {
    type: 'object',
    ...fieldsOf(fieldsOf(holder)['openAPIV3Schema']),
    [OPEN]: true,
  },
});

/**
 * `preserveUnknownFields`, which v1beta1 means by default, is said by each schema in v1; a definition without a schema
 * gets one that takes everything. Mutates.
 */
function keepUnknownFields(spec: Json): void {
  if (spec['preserveUnknownFields'] === false) return;
  spec['preserveUnknownFields'] = false;
  const versions = versionsOf(spec).filter((version) => isObject(version['schema']));
  for (const version of versions) version['schema'] = opened(version['schema']);
  if (versions.length === 0 || isObject(spec['validation']))
    spec['validation'] = opened(spec['validation']);
}

/** k8s apiextensions pkg/apis/apiextensions/v1beta1/defaults.go. Mutates. */
function setDefaults(object: Json): void {
  const { spec } = object;
  if (!isObject(spec)) return;
  spec['scope'] ||= 'Namespaced';
  const { version } = spec;
  if (versionsOf(spec).length === 0 && typeof version === 'string' && version !== '')
    spec['versions'] = [{ name: version, served: true, storage: true }];
  const { conversion } = spec;
  if (isObject(conversion) && conversion['strategy'] === 'Webhook')
    conversion['conversionReviewVersions'] ??= ['v1beta1'];
  keepUnknownFields(spec);
}

export const removedApiextensions = [
  removedKind(CustomResourceDefinitionKind, {
    version: 'v1beta1',
    lifecycle: { deprecated: '1.16', removed: '1.22' },
    conversion: {
      toHub: (object) => changedFields(object, 'spec', specToHub),
      fromHub: (hub) => changedFields(hub, 'spec', specFromHub),
    },
    setDefaults,
  }),
];
