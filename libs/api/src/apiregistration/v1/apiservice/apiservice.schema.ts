import type { Schema } from '@orrery/apimachinery';

const PACKAGE = 'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1';
const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';

const ref = (name: string): Schema => ({ $ref: `#/definitions/${name}` }) as Schema;
const own = (name: string): Schema => ref(`${PACKAGE}.${name}`);
const text = (description: string): Schema => ({ type: 'string', description }) as Schema;

const gvk = (kind: string): object => ({
  'x-kubernetes-group-version-kind': [{ group: 'apiregistration.k8s.io', kind, version: 'v1' }],
});

/** OpenAPI definitions of apiregistration.k8s.io/v1; the generator's tables leave the aggregator out. */
export const apiregistrationDefinitions = {
  [`${PACKAGE}.APIService`]: {
    description:
      'APIService represents a server for a particular GroupVersion. Name must be "version.group".',
    type: 'object',
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { default: {}, ...ref(`${META}.ObjectMeta`) },
      spec: { default: {}, ...own('APIServiceSpec') },
      status: { default: {}, ...own('APIServiceStatus') },
    },
    ...gvk('APIService'),
  },
  [`${PACKAGE}.APIServiceList`]: {
    description: 'APIServiceList is a list of APIService objects.',
    type: 'object',
    required: ['items'],
    properties: {
      apiVersion: { type: 'string' },
      items: { type: 'array', items: { default: {}, ...own('APIService') } },
      kind: { type: 'string' },
      metadata: { default: {}, ...ref(`${META}.ListMeta`) },
    },
    ...gvk('APIServiceList'),
  },
  [`${PACKAGE}.APIServiceCondition`]: {
    description: 'APIServiceCondition describes the state of an APIService at a particular point',
    type: 'object',
    required: ['type', 'status'],
    properties: {
      lastTransitionTime: ref(`${META}.Time`),
      message: text('Human-readable message indicating details about last transition.'),
      reason: text("Unique, one-word, CamelCase reason for the condition's last transition."),
      status: {
        ...text('Status is the status of the condition: True, False, Unknown.'),
        default: '',
      },
      type: { ...text('Type is the type of the condition.'), default: '' },
    },
  },
  [`${PACKAGE}.APIServiceSpec`]: {
    description:
      'APIServiceSpec contains information for locating and communicating with a server. Only https is supported, though you are able to disable certificate verification.',
    type: 'object',
    required: ['groupPriorityMinimum', 'versionPriority'],
    properties: {
      caBundle: {
        type: 'string',
        format: 'byte',
        'x-kubernetes-list-type': 'atomic',
        description:
          "CABundle is a PEM encoded CA bundle which validates an API server's certificate.",
      },
      group: text('Group is the API group name this server hosts'),
      groupPriorityMinimum: {
        type: 'integer',
        format: 'int32',
        default: 0,
        description: 'GroupPriorityMinimum is the priority this group should have at least.',
      },
      insecureSkipTLSVerify: {
        type: 'boolean',
        description: 'InsecureSkipTLSVerify disables TLS certificate verification.',
      },
      service: own('ServiceReference'),
      version: text('Version is the API version this server hosts.'),
      versionPriority: {
        type: 'integer',
        format: 'int32',
        default: 0,
        description:
          'VersionPriority controls the ordering of this API version inside of its group.',
      },
    },
  },
  [`${PACKAGE}.APIServiceStatus`]: {
    description: 'APIServiceStatus contains derived information about an API server',
    type: 'object',
    properties: {
      conditions: {
        type: 'array',
        items: { default: {}, ...own('APIServiceCondition') },
        'x-kubernetes-list-map-keys': ['type'],
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-patch-merge-key': 'type',
        'x-kubernetes-patch-strategy': 'merge',
        description: 'Current service state of apiService.',
      },
    },
  },
  [`${PACKAGE}.ServiceReference`]: {
    description: 'ServiceReference holds a reference to Service.legacy.k8s.io',
    type: 'object',
    properties: {
      name: text('Name is the name of the service'),
      namespace: text('Namespace is the namespace of the service'),
      port: {
        type: 'integer',
        format: 'int32',
        description: 'The port on the service; 443 when absent.',
      },
    },
  },
} as unknown as Record<string, Schema>;

const field = (type: string, id: number): object => ({ type, id });
const many = (type: string, id: number): object => ({ rule: 'repeated', type, id });
const message = (fields: object): object => ({ edition: 'proto2', fields });
const META_PROTO = '.k8s.io.apimachinery.pkg.apis.meta.v1';

/** Its messages, for `k8s.io.kube_aggregator` of the protobufjs descriptor. */
export const apiregistrationMessages = {
  nested: {
    pkg: {
      nested: {
        apis: {
          nested: {
            apiregistration: {
              nested: {
                v1: {
                  nested: {
                    APIService: message({
                      metadata: field(`${META_PROTO}.ObjectMeta`, 1),
                      spec: field('APIServiceSpec', 2),
                      status: field('APIServiceStatus', 3),
                    }),
                    APIServiceCondition: message({
                      type: field('string', 1),
                      status: field('string', 2),
                      lastTransitionTime: field(`${META_PROTO}.Time`, 3),
                      reason: field('string', 4),
                      message: field('string', 5),
                    }),
                    APIServiceList: message({
                      metadata: field(`${META_PROTO}.ListMeta`, 1),
                      items: many('APIService', 2),
                    }),
                    APIServiceSpec: message({
                      service: field('ServiceReference', 1),
                      group: field('string', 2),
                      version: field('string', 3),
                      insecureSkipTLSVerify: field('bool', 4),
                      caBundle: field('bytes', 5),
                      groupPriorityMinimum: field('int32', 7),
                      versionPriority: field('int32', 8),
                    }),
                    APIServiceStatus: message({ conditions: many('APIServiceCondition', 1) }),
                    ServiceReference: message({
                      namespace: field('string', 1),
                      name: field('string', 2),
                      port: field('int32', 3),
                    }),
                  },
                },
              },
            },
          },
        },
      },
    },
  },
};
