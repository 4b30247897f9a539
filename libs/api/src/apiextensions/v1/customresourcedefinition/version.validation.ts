import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import { FieldPath, deepEqual, duplicate, invalid, required, tooMany } from '@orrery/apimachinery';
import type { RuleSchema } from '@orrery/cel';
import { resolveFieldPath } from '@orrery/cel';
import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
  CustomResourceSubresources,
  JSONSchemaProps,
  SelectableField,
} from '../../../types.js';
import { eachOf, list } from '../../../meta/list.js';
import { internalForm, setKeywords } from './internal-form.js';
import { validateKeywords } from './schema-keywords.validation.js';
import { validateRules } from './schema-rules.validation.js';
import { isBeyondStructure, validateStructuralSchema } from './structural-schema.validation.js';

type Version = CustomResourceDefinitionVersion;

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string'];
const COLUMN_FORMATS = [
  'byte',
  'date',
  'date-time',
  'double',
  'float',
  'int32',
  'int64',
  'password',
];
const MAX_SELECTABLE = 8;
/** Keywords that a root may have beside a status subresource (…/validation.go:allowedFieldsAtRootSchema). */
const AT_ROOT = (
  'Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern ' +
  'MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example ' +
  'XPreserveUnknownFields XValidations'
).split(' ');

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The first keyword that a root with a status must not have. */
function validateRootKeywords(schema: JSONSchemaProps, path: Path): FieldError[] {
  const { type } = schema;
  const odd = setKeywords(schema).find((name) =>
    name === 'Type' ? type !== 'object' : !AT_ROOT.includes(name),
  );
  if (odd === undefined) return [];
  const enabled = 'if the status subresource is enabled';
  return odd === 'Type'
    ? [
        invalid(
          path.child('type'),
          type,
          `only "object" is allowed as the type at the root of the schema ${enabled}`,
        ),
      ]
    : [
        invalid(
          path,
          internalForm.schema(schema),
          `only [${AT_ROOT.join(' ')}] fields are allowed at the root of the schema ${enabled}`,
        ),
      ];
}

function validateSchema(schema: JSONSchemaProps, hasStatus: boolean, path: Path): FieldError[] {
  const shape = [
    ...(hasStatus ? validateRootKeywords(schema, path) : []),
    ...validateStructuralSchema(schema, path),
    ...validateKeywords(schema, path),
  ];
  // Rules of keywords name all that no structure has but this.
  if (shape.length === 0 && isBeyondStructure(schema))
    return [invalid(path, '', "OpenAPIV3Schema 'schema' is not supported")];
  // The same may be said by the structure's rules and by the keywords'.
  const seen = new Set<string>();
  const found = shape.filter(({ field, message }) => {
    const id = `${field}: ${message}`;
    const isNew = !seen.has(id);
    seen.add(id);
    return isNew;
  });
  return [...found, ...validateRules(schema as RuleSchema, path, found.length === 0)];
}

function simplePath(value: string, path: Path): FieldError[] {
  return value.startsWith('.')
    ? []
    : [invalid(path, value, 'must be a simple json path starting with .')];
}

function validateColumn(column: CustomResourceColumnDefinition, path: Path): FieldError[] {
  const { name, type, format, jsonPath } = column;
  const oneOf = `must be one of ${COLUMN_TYPES.join(',')}`;
  const at = path.child('JSONPath');
  return [
    ...(name ? [] : [required(path.child('name'))]),
    ...(type ? [] : [required(path.child('type'), oneOf)]),
    ...(type && !COLUMN_TYPES.includes(type) ? [invalid(path.child('type'), type, oneOf)] : []),
    ...(format && !COLUMN_FORMATS.includes(format)
      ? [invalid(path.child('format'), format, `must be one of ${COLUMN_FORMATS.join(',')}`)]
      : []),
    ...(jsonPath ? simplePath(text(jsonPath), at) : [required(at)]),
  ];
}

function validateScale(
  subresources: CustomResourceSubresources | undefined,
  path: Path,
): FieldError[] {
  const scale = subresources?.scale;
  if (!scale) return [];
  const check = (
    name: keyof typeof scale,
    prefixes: readonly string[],
    where: string,
  ): FieldError[] => {
    const value = text(scale[name]);
    const at = path.child(`scale.${name}`);
    if (value === '') return name === 'labelSelectorPath' ? [] : [required(at)];
    const simple = simplePath(value, at);
    if (simple.length > 0) return simple;
    return prefixes.some((prefix) => value.startsWith(prefix))
      ? []
      : [invalid(at, value, `should be a json path under ${where}`)];
  };
  return [
    ...check('specReplicasPath', ['.spec.'], '.spec'),
    ...check('statusReplicasPath', ['.status.'], '.status'),
    ...check('labelSelectorPath', ['.spec.', '.status.'], 'either .spec or .status'),
  ];
}

function validateSelectable(
  fields: readonly SelectableField[],
  schema: RuleSchema,
  path: Path,
  mayBeMany: boolean,
): FieldError[] {
  const seen = new Set<string>();
  const found = fields.flatMap(({ jsonPath }, i) => {
    const at = path.index(i).child('jsonPath');
    const source = text(jsonPath);
    if (source === '') return [required(at)];
    const resolved = resolveFieldPath(source, schema, { allowKeys: false });
    if (resolved.problem !== undefined)
      return [invalid(at, source, `is an invalid path: ${resolved.problem}`)];
    const repeated = seen.has(resolved.path);
    seen.add(resolved.path);
    return [
      ...(resolved.path.split('.')[0] === 'metadata'
        ? [invalid(at, source, 'must not point to fields in metadata')]
        : []),
      ...(['string', 'boolean', 'integer'].includes(resolved.schema.type ?? '')
        ? []
        : [
            invalid(
              at,
              source,
              'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
            ),
          ]),
      ...(repeated ? [duplicate(at, source)] : []),
    ];
  });
  return [
    ...found,
    ...(seen.size > MAX_SELECTABLE && !mayBeMany ? [tooMany(path, seen.size, MAX_SELECTABLE)] : []),
  ];
}

/** Go's unicode.IsPrint: letters, marks, numbers, punctuation, symbols and the plain space. */
const NOT_PRINTED = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;

function validateWarning({ deprecated, deprecationWarning }: Version, path: Path): FieldError[] {
  if (deprecationWarning === undefined || deprecationWarning === null) return [];
  const at = path.child('deprecationWarning');
  const given = text(deprecationWarning);
  if (!deprecated) return [invalid(at, given, 'can only be set for deprecated versions')];
  const odd = NOT_PRINTED.exec(given);
  const index = odd ? Buffer.byteLength(given.slice(0, odd.index)) : 0;
  return [
    ...(Buffer.byteLength(given) > 256
      ? [invalid(at, given, 'must be <= 256 characters long')]
      : []),
    ...(given === '' ? [invalid(at, given, 'must not be an empty string')] : []),
    ...(odd
      ? [
          invalid(
            at,
            given,
            `must only contain printable UTF-8 characters; non-printable character found at index ${index}`,
          ),
        ]
      : []),
  ];
}

/**
 * Where findings in a part of the versions are reported: upstream's internal form has it once, at the top of the
 * spec, when all versions agree (apiextensions/v1/conversion.go).
 */
export interface Placement {
  readonly path: Path;
  readonly version: Version;
}

function placements(
  versions: readonly Version[],
  part: (version: Version) => unknown,
  { spec, top, below }: { readonly spec: Path; readonly top: string; readonly below: string },
): readonly Placement[] {
  const [first] = versions;
  const agree = first && versions.every((one) => deepEqual(part(one), part(first)));
  if (first && agree) return [{ path: spec.child(top), version: first }];
  return versions.map((version, i) => ({
    path: spec.child('versions').index(i).child(below),
    version,
  }));
}

const hasStatus = ({ subresources }: Version): boolean =>
  (subresources?.status ?? undefined) !== undefined;

/** What is said of one version, or of all when they say the same. */
type PartCheck = (version: Version, path: Path) => FieldError[];

interface Part {
  readonly part: keyof Version;
  readonly top: string;
  readonly check: PartCheck;
}

/** As many as are stored may stay (…/validation.go:findTooManySelectableFieldsAllowed). */
const mayStayMany = ({ name, selectableFields }: Version, old: readonly Version[]): boolean =>
  old.some(
    (each) =>
      each.name === name &&
      list(each.selectableFields).length > MAX_SELECTABLE &&
      deepEqual(each.selectableFields, selectableFields),
  );

function partsOf(versions: readonly Version[], old: readonly Version[]): readonly Part[] {
  const isShared = versions.every(({ schema }) => deepEqual(schema, versions[0]?.schema));
  return [
    {
      part: 'schema',
      top: 'validation',
      check: (version, path) => {
        const schema = version.schema?.openAPIV3Schema;
        const withStatus = isShared ? versions.some(hasStatus) : hasStatus(version);
        return schema ? validateSchema(schema, withStatus, path.child('openAPIV3Schema')) : [];
      },
    },
    {
      part: 'subresources',
      top: 'subresources',
      check: ({ subresources }, path) => validateScale(subresources, path),
    },
    {
      part: 'additionalPrinterColumns',
      top: 'additionalPrinterColumns',
      check: ({ additionalPrinterColumns }, path) =>
        eachOf(additionalPrinterColumns, (column, i) => validateColumn(column, path.index(i))),
    },
    {
      part: 'selectableFields',
      top: 'selectableFields',
      check: (version, path) => {
        const { schema, selectableFields } = version;
        const known = schema?.openAPIV3Schema as RuleSchema | undefined;
        const mayBeMany = mayStayMany(version, old);
        return known ? validateSelectable(list(selectableFields), known, path, mayBeMany) : [];
      },
    },
  ];
}

/** What is said at the top of the spec, and what at each version. */
export interface VersionFindings {
  readonly absentSchemas: FieldError[];
  readonly ofVersion: (i: number) => FieldError[];
  readonly shared: FieldError[];
}

/** Everything that versions say of themselves (…/validation.go:validateCustomResourceDefinitionVersion); `old` are the stored ones. */
export function validateVersionParts(
  versions: readonly Version[],
  spec: Path,
  old: readonly Version[] = [],
): VersionFindings {
  const own = versions.map<FieldError[]>((version, i) =>
    validateWarning(version, spec.child('versions').index(i)),
  );
  const shared: FieldError[] = [];
  for (const { part, top, check } of partsOf(versions, old)) {
    const below = part === 'schema' ? 'schema' : top;
    const places = placements(versions, (version) => version[part], { spec, top, below });
    const isShared =
      places.length < versions.length || places[0]?.path.toString() === `spec.${top}`;
    places.forEach(({ path, version }, i) => {
      (isShared ? shared : (own[i] ?? shared)).push(...check(version, path));
    });
  }
  return {
    absentSchemas: versions.flatMap(({ schema }, i) =>
      schema?.openAPIV3Schema
        ? []
        : [required(spec.child('versions').index(i).child('schema', 'openAPIV3Schema'))],
    ),
    ofVersion: (i) => own[i] ?? [],
    shared,
  };
}

/** The schemas of a definition, each with the path at which findings in it are reported. */
export function schemasOfDefinition({
  spec,
}: CustomResourceDefinition): readonly { readonly path: string; readonly schema: object }[] {
  const at = { spec: FieldPath.of('spec'), top: 'validation', below: 'schema' };
  return placements(list(spec?.versions), ({ schema }) => schema, at).flatMap(
    ({ path, version }) => {
      const schema = version.schema?.openAPIV3Schema;
      return schema ? [{ path: path.child('openAPIV3Schema').toString(), schema }] : [];
    },
  );
}
