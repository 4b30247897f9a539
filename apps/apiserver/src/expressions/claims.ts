import type { CelType, ObjectType } from '@orrery/cel';
import { celTypes, listOf, mapOf } from '@orrery/cel';
import { Expression } from './expression.js';

const { string, dyn } = celTypes;

const object = (name: string, fields: Readonly<Record<string, CelType>>): ObjectType => ({
  kind: 'object',
  name,
  fields: new Map(
    Object.entries(fields).map(([key, type]) => [key, { type, jsonName: key, required: false }]),
  ),
});

/** What expressions about tokens may name (k8s apiserver pkg/authentication/cel/compile.go). */
const CLAIMS = new Map<string, CelType>([['claims', mapOf(string, dyn)]]);
const USER = new Map<string, CelType>([
  [
    'user',
    object('kubernetes.UserInfo', {
      username: string,
      uid: string,
      groups: listOf(string),
      extra: mapOf(string, listOf(string)),
    }),
  ],
]);

export const aboutClaims = (source: string, wanted: readonly string[]): Expression =>
  Expression.compile(source, CLAIMS, wanted);

export const aboutUser = (source: string): Expression => Expression.compile(source, USER, ['bool']);

const SELECTOR = {
  rawSelector: string,
  requirements: listOf(
    object('kubernetes.SelectorRequirement', {
      key: string,
      operator: string,
      values: listOf(string),
    }),
  ),
};

/** What match conditions of authorizers may name (k8s apiserver pkg/authorization/cel/compile.go:buildRequestType). */
const REQUEST = new Map<string, CelType>([
  [
    'request',
    object('kubernetes.SubjectAccessReviewSpec', {
      resourceAttributes: object('kubernetes.ResourceAttributes', {
        namespace: string,
        verb: string,
        group: string,
        version: string,
        resource: string,
        subresource: string,
        name: string,
        fieldSelector: object('kubernetes.FieldSelectorAttributes', SELECTOR),
        labelSelector: object('kubernetes.LabelSelectorAttributes', SELECTOR),
      }),
      nonResourceAttributes: object('kubernetes.NonResourceAttributes', {
        path: string,
        verb: string,
      }),
      user: string,
      groups: listOf(string),
      extra: mapOf(string, listOf(string)),
      uid: string,
    }),
  ],
]);

export const aboutAccess = (source: string): Expression =>
  Expression.compile(source, REQUEST, ['bool']);
