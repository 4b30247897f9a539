import { describe, expect, it } from '@jest/globals';
import { finish } from '@orrery/apimachinery';
import type { ApiServices, RemoteApi } from './api-services.js';
import { RemoteDiscovery } from './remote-discovery.js';
import type { RemoteDocuments } from './remote-documents.js';
import { toOpenApiV3 } from './v2-to-v3.js';

const ref = (name: string): Record<string, string> => ({ $ref: `#/definitions/${name}` });
const gvk = { group: 'g', version: 'v1', kind: 'Foo' };
const document = {
  swagger: '2.0',
  info: { title: 'sample', version: '0' },
  produces: ['application/json'],
  paths: {
    '/apis/g/v1/foos': {
      get: {
        operationId: 'listFoo',
        schemes: ['https'],
        'x-kubernetes-group-version-kind': gvk,
        parameters: [{ name: 'limit', in: 'query', type: 'integer', uniqueItems: true }],
        responses: {
          200: { description: 'OK', schema: ref('FooList') },
          401: { description: 'No' },
        },
      },
      post: {
        consumes: ['application/json', 'application/yaml'],
        parameters: [{ name: 'body', in: 'body', required: true, schema: ref('Foo') }],
        responses: { 201: { description: 'Made', schema: ref('Foo') } },
      },
      parameters: [{ name: 'pretty', in: 'query', type: 'string', description: 'how' }],
    },
    '/apis/g/v10/foos': { get: { responses: {} } },
  },
  definitions: {
    FooList: { type: 'object', properties: { items: { type: 'array', items: ref('Foo') } } },
    Foo: {
      type: 'object',
      properties: { spec: ref('Spec') },
      'x-kubernetes-group-version-kind': [gvk],
    },
    Spec: { type: 'object', properties: { same: ref('Spec'), gone: ref('Gone') } },
    Unused: { type: 'object' },
  },
};

const converted = (...given: Parameters<typeof toOpenApiV3>): object | undefined =>
  finish(toOpenApiV3(...given));

describe(toOpenApiV3.name, () => {
  it('converts paths and what they refer to', () => {
    const made = converted(document, 'g/v1');
    const foo = { schema: { $ref: '#/components/schemas/Foo' } };
    expect(made).toEqual({
      openapi: '3.0.0',
      info: { title: 'sample', version: '0' },
      paths: {
        '/apis/g/v1/foos': {
          get: {
            operationId: 'listFoo',
            'x-kubernetes-group-version-kind': gvk,
            parameters: [
              { name: 'limit', in: 'query', schema: { type: 'integer', uniqueItems: true } },
            ],
            responses: {
              200: {
                description: 'OK',
                content: {
                  'application/json': { schema: { $ref: '#/components/schemas/FooList' } },
                },
              },
              401: { description: 'No' },
            },
          },
          post: {
            requestBody: {
              required: true,
              content: { 'application/json': foo, 'application/yaml': foo },
            },
            responses: { 201: { description: 'Made', content: { 'application/json': foo } } },
          },
          parameters: [
            { name: 'pretty', in: 'query', description: 'how', schema: { type: 'string' } },
          ],
        },
      },
      components: {
        schemas: {
          FooList: {
            type: 'object',
            properties: { items: { type: 'array', items: { $ref: '#/components/schemas/Foo' } } },
          },
          Foo: {
            type: 'object',
            properties: { spec: { $ref: '#/components/schemas/Spec' } },
            'x-kubernetes-group-version-kind': [gvk],
          },
          Spec: {
            type: 'object',
            properties: {
              same: { $ref: '#/components/schemas/Spec' },
              gone: { $ref: '#/components/schemas/Gone' },
            },
          },
        },
      },
    });
  });

  it.each([
    { name: 'no such version', given: document, of: 'g/v2' },
    { name: 'nothing', given: {}, of: 'g/v1' },
    { name: 'nonsense', given: { paths: [1], definitions: 'x' }, of: 'g/v1' },
  ])('of $name there is none', ({ given, of }) => {
    expect(converted(given, of)).toBeUndefined();
  });

  it('bears a document that is nested without end', () => {
    let schema: Record<string, unknown> = { type: 'string' };
    for (let i = 0; i < 20_000; i += 1) schema = { type: 'array', items: schema };
    const paths = { '/apis/g/v1/x': { get: { responses: { 200: { schema } } } } };
    expect(converted({ paths }, 'g/v1')).toHaveProperty('openapi');
  });
});

describe(RemoteDiscovery.name, () => {
  it('has an OpenAPI v3 document of servers that only have one of v2', async () => {
    const remote = { group: 'g', version: 'v1' } as RemoteApi;
    const apis = { remote: () => [remote], find: () => remote } as unknown as ApiServices;
    const get = (_: RemoteApi, path: string): Promise<unknown> =>
      Promise.resolve(path === '/openapi/v2' ? document : undefined);
    const discovery = new RemoteDiscovery(apis, { get } as unknown as RemoteDocuments);
    const [found] = await discovery.openApiV3();
    expect(found?.id).toBe('apis/g/v1');
    expect(await discovery.openApiV3Document('g', 'v1')).toEqual(converted(document, 'g/v1'));
  });
});
