import type { KubeObject, Schema } from '@orrery/apimachinery';
import { SchemaRegistry, StatusError, toApiVersion } from '@orrery/apimachinery';
import { schemaDefinitions } from '@orrery/api';
import { cloneJson, equalJson } from '@orrery/registry';
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
  KindDescriptor,
  ScaleAccess,
  Strategy,
} from '@orrery/api';
import { applyDefaults, dropNulls } from './apply-defaults.js';
import { OBJECT_FIELDS, coerceEmbedded, withEmbeddedTypes } from './coerce-embedded.js';
import { rememberSchemas } from './custom-kind.js';
import type { CustomKind } from './custom-kind.js';
import { customStrategies } from './custom-strategies.js';
import { compareVersions } from './compare-versions.js';
import { assignJsonPath, evaluateJsonPath, parseJsonPath } from './json-path.js';
import { printerColumns } from './printer-columns.js';
import { isAsServed } from './is-as-served.js';
import { prune } from './prune.js';
import type { Json, StructuralSchema } from './structural-schema.js';

const PRESERVE: StructuralSchema = {
  type: 'object',
  'x-kubernetes-preserve-unknown-fields': true,
};

function scaleAccess({ subresources }: CustomResourceDefinitionVersion): { scale?: ScaleAccess } {
  const scale = subresources?.scale;
  if (!scale) return {};
  const specPath = parseJsonPath(scale.specReplicasPath) ?? [];
  const statusPath = parseJsonPath(scale.statusReplicasPath) ?? [];
  const selectorPath = parseJsonPath(scale.labelSelectorPath ?? '');
  const number = (value: unknown): number => (typeof value === 'number' ? value : 0);
  const access: ScaleAccess = {
    get(object) {
      const selector = selectorPath?.length ? evaluateJsonPath(selectorPath, object)[0] : '';
      return {
        replicas: number(evaluateJsonPath(specPath, object)[0]),
        statusReplicas: number(evaluateJsonPath(statusPath, object)[0]),
        selector: typeof selector === 'string' ? selector : '',
      };
    },
    set(object, replicas) {
      assignJsonPath(specPath, object, replicas);
    },
    lacks: (object) =>
      evaluateJsonPath(specPath, object).length === 0 ? scale.specReplicasPath : undefined,
  };
  return { scale: access };
}

/** `com.example.v1.Foo` of group example.com: the name under which the schema is published. */
const definitionName = (group: string, version: string, kind: string): string =>
  `${group.split('.').reverse().join('.')}.${version}.${kind}`;

function selectable(
  version: CustomResourceDefinitionVersion,
): Pick<KindDescriptor, 'selectableFields'> {
  const fields = (version.selectableFields ?? []).map(({ jsonPath }) => ({
    name: jsonPath.replace(/^\./, ''),
    steps: parseJsonPath(jsonPath) ?? [],
  }));
  return {
    selectableFields: (object) =>
      Object.fromEntries(
        fields.map(({ name, steps }) => {
          const [value] = evaluateJsonPath(steps, object);
          return [name, value === undefined ? '' : `${value as string}`];
        }),
      ),
  };
}

function schemasFor(name: string, schema: StructuralSchema): SchemaRegistry {
  const root = withEmbeddedTypes(schema as Schema);
  const properties = { ...root.properties, ...OBJECT_FIELDS };
  return new SchemaRegistry({ ...schemaDefinitions(), [name]: { ...root, properties } }, false);
}

/** Converts by a webhook: its versions differ in more than their name. */
export const convertsByWebhook = ({ spec }: CustomResourceDefinition): boolean =>
  spec.conversion?.strategy === 'Webhook' && spec.versions.length > 1;

interface Serving {
  /** True only of an object that {@link serve} would leave as it is. */
  readonly isServed: (object: KubeObject) => boolean;
  /** Changes the object. */
  readonly serve: (object: KubeObject) => void;
}

const servingBy = (schema: StructuralSchema, keepsAll: boolean): Serving => ({
  isServed: (object) => isAsServed(object as unknown as Json, schema, keepsAll),
  serve: (object) => {
    if (!keepsAll) pruned(object, schema);
    applyDefaults(object, schema);
  },
});

/** Leaves out what decoding leaves out, and tells what nobody knows (…/customresource_handler.go:unstructuredSchemaCoercer). */
function pruned(object: KubeObject, schema: StructuralSchema): string[] {
  const unknown = prune(object as unknown as Json, schema);
  dropNulls(object, schema);
  return unknown;
}

/**
 * Stored objects as a version serves them: with its name, without what its schema does not know (any more), and with
 * its defaults. What needs none of this stays as it is.
 */
function conversionOf(
  crd: CustomResourceDefinition,
  version: string,
  { isServed, serve }: Serving,
): Pick<KindDescriptor, 'storageConversion'> {
  const { group, names, versions } = crd.spec;
  const stored = versions.find((one) => one.storage)?.name ?? version;
  // Objects come from a ConvertingStorage in the served version already.
  const storage = convertsByWebhook(crd) ? version : stored;
  const served = toApiVersion(group, version);
  return {
    storageConversion: {
      group,
      version: storage,
      kind: names.kind,
      toStorage: (object) => ({ ...object, apiVersion: toApiVersion(group, storage) }),
      fromStorage(object) {
        if (object.apiVersion === served && isServed(object)) return object;
        const made = cloneJson(object);
        made.apiVersion = served;
        serve(made);
        return equalJson(made, object) ? object : made;
      },
    },
  };
}

/** A definition that is going takes no new objects (apiextensions-apiserver pkg/apiserver/customresource_handler.go). */
const closed = (strategy: Strategy): Strategy => ({
  ...strategy,
  prepareForCreate() {
    throw new StatusError(
      405,
      'MethodNotAllowed',
      'create not allowed while custom resource definition is terminating',
    );
  },
});

/** What requests of a version are warned of (…/customresource_handler.go:defaultDeprecationWarning). */
function deprecationOf(
  { spec }: CustomResourceDefinition,
  { name, deprecated, deprecationWarning }: CustomResourceDefinitionVersion,
): Pick<KindDescriptor, 'deprecation'> {
  if (!deprecated) return {};
  if (deprecationWarning !== undefined) return { deprecation: deprecationWarning };
  const [newest] = spec.versions
    .filter((one) => one.served && !one.deprecated && compareVersions(one.name, name) < 0)
    .map((one) => one.name)
    .sort(compareVersions);
  const use = newest === undefined ? '' : `; use ${spec.group}/${newest} ${spec.names.kind}`;
  return { deprecation: `${spec.group}/${name} ${spec.names.kind} is deprecated${use}` };
}

const VERBS = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];

const handlingOf = (
  crd: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
): Pick<KindDescriptor, 'verbs' | 'deprecation'> => ({
  verbs: VERBS,
  ...deprecationOf(crd, version),
});

/** What the server needs to serve one version of a CustomResourceDefinition. */
export function toCustomKind(
  crd: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
): CustomKind {
  const { group, names, scope } = crd.spec;
  const published = version.schema?.openAPIV3Schema;
  const preserveAll =
    (crd.spec as { preserveUnknownFields?: boolean }).preserveUnknownFields === true;
  const schema = (published ?? PRESERVE) as StructuralSchema;
  const hasStatus = version.subresources?.status !== undefined;
  const { main, status } = customStrategies({
    schema,
    namespaced: scope === 'Namespaced',
    hasStatus,
    scale: version.subresources?.scale,
  });
  const name = definitionName(group, version.name, names.kind);
  const kind: KindDescriptor = {
    group,
    version: version.name,
    kind: names.kind,
    plural: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    scope: scope === 'Cluster' ? 'Cluster' : 'Namespaced',
    schema: name,
    message: '',
    storagePrefix: `${group}/${names.plural}`,
    setDefaults: (object) => {
      applyDefaults(object, schema);
    },
    strategy: crd.metadata.deletionTimestamp ? closed(main) : main,
    ...(hasStatus ? { status } : {}),
    ...scaleAccess(version),
    ...selectable(version),
    ...handlingOf(crd, version),
    columns: printerColumns(version.additionalPrinterColumns ?? []),
    hasGeneration: true,
    ...conversionOf(crd, version.name, servingBy(schema, preserveAll)),
  };
  let schemas: SchemaRegistry | undefined;
  rememberSchemas(kind, () => (schemas ??= schemasFor(name, schema)));
  return {
    kind,
    definition: crd.metadata.name ?? '',
    ...(convertsByWebhook(crd) ? { convertedBy: crd } : {}),
    openApiSchema: published as Record<string, unknown> | undefined,
    get schemas() {
      return (schemas ??= schemasFor(name, schema));
    },
    coerce: (object, refuse) => coerceEmbedded(object, schema, '', refuse),
    prune: (object) => (preserveAll ? [] : pruned(object, schema).sort()),
  };
}
