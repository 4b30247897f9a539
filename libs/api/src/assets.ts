import { readFileSync } from 'node:fs';
import type { Schema } from '@orrery/apimachinery';
import { SchemaRegistry } from '@orrery/apimachinery';
import {
  apiregistrationDefinitions,
  apiregistrationMessages,
} from './apiregistration/v1/apiservice/apiservice.schema.js';

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`./gen/${name}`, import.meta.url), 'utf8'));

interface Namespace {
  readonly nested?: Record<string, Namespace>;
}

let definitions: Record<string, Schema> | undefined;
let registry: SchemaRegistry | undefined;

/** OpenAPI definitions of all built-in kinds with Kubernetes' extensions; read once, when first needed. */
export function schemaDefinitions(): Readonly<Record<string, Schema>> {
  definitions ??= {
    ...(read('schemas.json') as Record<string, Schema>),
    ...apiregistrationDefinitions,
  };
  return definitions;
}

/** The registry over {@link schemaDefinitions}. */
export function schemaRegistry(): SchemaRegistry {
  registry ??= new SchemaRegistry(schemaDefinitions());
  return registry;
}

/** The protobufjs descriptor (JSON form) of all messages; read anew at each call. */
export function protobufDescriptor(): Record<string, unknown> {
  const descriptor = read('protobuf.json') as Namespace;
  const io = descriptor.nested?.['k8s']?.nested?.['io']?.nested;
  if (io) io['kube_aggregator'] = apiregistrationMessages as Namespace;
  return descriptor as Record<string, unknown>;
}
