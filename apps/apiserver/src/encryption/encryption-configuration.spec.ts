import { describe, expect, it } from '@jest/globals';
import { readEncryptionConfiguration } from './encryption-configuration.js';
import { storedResource } from './stored-resources.js';

const SECRET = Buffer.alloc(32, 1).toString('base64');
const HEAD = 'apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\n';
const CBC = `{aescbc: {keys: [{name: k, secret: ${SECRET}}]}}`;
const rule = (resources: string, providers: string): string =>
  `- {resources: ${resources}, providers: ${providers}}\n`;
const one = (resources: string, providers = `[${CBC}]`): string =>
  `${HEAD}resources:\n${rule(resources, providers)}`;
const withKey = (provider: string, key: string): string =>
  one('[secrets]', `[{${provider}: {keys: [${key}]}}]`);

describe('EncryptionConfiguration', () => {
  it('says for which resources, by which keys in which order', () => {
    const text = `${HEAD}resources:\n${rule("[secrets, '*.apps']", `[${CBC}, {identity: {}}]`)}`;
    const [read] = readEncryptionConfiguration(text, 'file');
    expect(read?.resources).toEqual(['secrets', '*.apps']);
    expect(read?.providers.map(({ name }) => name)).toEqual(['aescbc', 'identity']);
  });

  it.each([
    ['nothing at all', '', 'file is empty'],
    ['another kind', 'kind: Pod', 'kind must be EncryptionConfiguration'],
    ['another version', 'kind: EncryptionConfiguration\napiVersion: v2', 'apiVersion must be'],
    ['no resources', HEAD, 'resources: Required value: at least one resources is required'],
    [
      'a rule of none',
      one('[]'),
      'resources[0].resources: Required value: at least one resources[0].resources is required',
    ],
    [
      'no provider',
      one('[secrets]', '[]'),
      'resources[0].providers: Required value: at least one resources[0].providers is required',
    ],
    [
      'an empty provider',
      one('[secrets]', '[{}]'),
      'provider does not contain any of the expected providers: KMS, AESGCM, AESCBC, Secretbox, Identity',
    ],
    [
      'two providers in one',
      one('[secrets]', `[{aescbc: {keys: [{name: k, secret: ${SECRET}}]}, identity: {}}]`),
      'more than one provider specified in a single element, should split into different list elements',
    ],
    ['KMS', one('[secrets]', '[{kms: {name: x}}]'), 'KMS) are not modelled'],
    [
      'a field that nobody knows',
      one('[secrets]', '[{rot13: {}}]'),
      'strict decoding error: unknown field "resources[0].providers[0].rot13"',
    ],
    [
      'no keys',
      one('[secrets]', '[{aesgcm: {keys: []}}]'),
      'resources[0].providers[0].aesgcm.keys: Required value: at least one keys is required',
    ],
    [
      'a key without a name',
      withKey('aescbc', `{secret: ${SECRET}}`),
      'resources[0].providers[0].aescbc.keys[0].name: Required value: name is a mandatory field for a key',
    ],
    [
      'a key without a secret',
      withKey('aescbc', '{name: k}'),
      'keys[0].secret: Required value: secret is a mandatory field for a key',
    ],
    [
      'a secret that is no base64',
      withKey('aescbc', '{name: k, secret: "!"}'),
      'keys[0].secret: Invalid value: "REDACTED": secrets must be base64 encoded',
    ],
    [
      'a short secret',
      withKey('secretbox', '{name: k, secret: YWJj}'),
      'Invalid value: "REDACTED": secret is not of the expected length, got 3, expected one of [32]',
    ],
    [
      'a secret of no AES length',
      withKey('aesgcm', '{name: k, secret: YWJj}'),
      'got 3, expected one of [16 24 32]',
    ],
    ['capital letters', one('[Secrets]'), 'resource name should not contain capital letters'],
    ['a star alone', one("['*']"), "use '*.' to encrypt all the resources from core API group"],
    [
      'a resource of all groups',
      one("['secrets.*']"),
      'encrypting the same resource across groups',
    ],
    ['extensions', one('[ingresses.extensions]'), "'extensions' group has been removed"],
    ['events.k8s.io', one('[events.events.k8s.io]'), "Use 'events' instead in the config file"],
    ['what is no object', one('[apiserveripinfo]'), 'do not have REST API/s cannot be encrypted'],
    ['the same twice', one('[pods, pods]'), 'the same resource cannot be specified multiple times'],
    ['overlap', one("[secrets, '*.']"), 'is not allowed as they will be masked'],
    [
      'a rule that another masks',
      `${HEAD}resources:\n${rule("['*.apps']", `[${CBC}]`)}${rule('[deployments.apps]', `[${CBC}]`)}`,
      'resource "deployments.apps" is masked by earlier rule "*.apps"',
    ],
    [
      'a rule behind all',
      `${HEAD}resources:\n${rule("['*.*']", `[${CBC}]`)}${rule('[secrets]', `[${CBC}]`)}`,
      'resource "secrets" is masked by earlier rule "*.*"',
    ],
  ])('refuses %s', (_, text, says) => {
    expect(() => readEncryptionConfiguration(text, 'file')).toThrow(says);
  });

  it('tells no secret', () => {
    const twice = one(
      '[secrets]',
      `[{aescbc: {keys: [{name: k, secret: ${SECRET}}]}, secretbox: {keys: []}}]`,
    );
    let told = '';
    try {
      readEncryptionConfiguration(twice, 'file');
    } catch (error) {
      told = String(error);
    }
    expect(told).toContain('more than one provider');
    expect(told).not.toContain(SECRET);
  });
});

describe('the resource of a key', () => {
  it.each([
    ['secrets/default/a', 'secrets'],
    ['deployments/default/a', 'deployments.apps'],
    ['minions/a', 'nodes'],
    ['controllers/default/a', 'replicationcontrollers'],
    ['services/specs/default/a', 'services'],
    ['services/endpoints/default/a', 'endpoints'],
    ['ingress/default/a', 'ingresses.networking.k8s.io'],
    ['events/default/a', 'events'],
    ['apiregistration.k8s.io/apiservices/a', 'apiservices.apiregistration.k8s.io'],
    ['example.com/widgets/default/a', 'widgets.example.com'],
    ['ranges/serviceips', undefined],
    ['masterleases/127.0.0.1', undefined],
  ])('%s', (key, resource) => {
    expect(storedResource(key)).toBe(resource);
  });
});
