import type { ClusterRole, ClusterRoleBinding, CustomResourceDefinition } from '@orrery/api';

const ROLE = 'orrery:image-rules';
const GROUP = 'orrery.dev';
const BEHAVIOURS =
  'startDelay exitAfter exitCode failEvery memory memoryGrowth cpu logEvery logLine'.split(' ');

const text = { type: 'string' };

const SPEC = {
  type: 'object',
  required: ['match'],
  properties: {
    match: {
      ...text,
      minLength: 1,
      description: 'Regular expression on registry/repository:tag.',
    },
    program: {
      ...text,
      enum: ['nginx', 'httpd', 'tomcat', 'redis', 'echo', 'pause', 'shell', 'agnhost'],
      description: 'The built-in program that the image is.',
    },
    command: {
      type: 'array',
      items: text,
      minItems: 1,
      description: 'The command of this machine that the image runs by itself.',
    },
    failure: {
      ...text,
      enum: ['not-found', 'unauthorized'],
      description: 'How pulls fail.',
    },
    credentials: {
      ...text,
      description: 'Regular expression on user:password of who may pull it.',
    },
    sizeBytes: { type: 'integer', format: 'int64', minimum: 0 },
    files: {
      type: 'object',
      description: 'Texts by absolute path, for commands in its containers and as an image volume.',
      additionalProperties: text,
    },
    behaviour: {
      type: 'object',
      description: 'Scripted behaviour of its containers, unless they say otherwise.',
      properties: Object.fromEntries(BEHAVIOURS.map((name) => [name, text])),
    },
  },
};

/** Rules of the image catalogue (apps/container-runtime/README.md, Configuration). */
export const imageRuleDefinition = (): CustomResourceDefinition => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `imagerules.${GROUP}` },
  spec: {
    group: GROUP,
    scope: 'Cluster',
    names: {
      kind: 'ImageRule',
      listKind: 'ImageRuleList',
      plural: 'imagerules',
      singular: 'imagerule',
    },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        additionalPrinterColumns: [
          { name: 'Match', type: 'string', jsonPath: '.spec.match' },
          { name: 'Program', type: 'string', jsonPath: '.spec.program' },
          { name: 'Failure', type: 'string', jsonPath: '.spec.failure' },
          { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        ],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            required: ['spec'],
            properties: {
              spec: SPEC,
            },
          },
        },
      },
    ],
  },
});

/** Nodes read them. */
export const imageRuleRole = (): ClusterRole => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: ROLE },
  rules: [{ apiGroups: [GROUP], resources: ['imagerules'], verbs: ['get', 'list', 'watch'] }],
});

export const imageRuleRoleBinding = (): ClusterRoleBinding => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: ROLE },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: ROLE },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:nodes' }],
});
