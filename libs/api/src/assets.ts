import type { Schema } from '@orrery/apimachinery';
import { SchemaRegistry } from '@orrery/apimachinery';
import {
  apiregistrationDefinitions,
  apiregistrationMessages,
} from './apiregistration/v1/apiservice/apiservice.schema.js';
import { readGenerated } from './generated.js';
import type { ProtobufNode } from './removed/derived-types.js';
import { addDerivedMessages, derivedDefinitions, mergeMessages } from './removed/derived-types.js';

let definitions: Record<string, Schema> | undefined;
let registry: SchemaRegistry | undefined;

/** OpenAPI definitions of all built-in kinds, in removed versions too, with Kubernetes' extensions; read once, when first needed. */
export function schemaDefinitions(): Readonly<Record<string, Schema>> {
  if (!definitions) {
    const current = {
      ...(readGenerated('schemas.json') as Record<string, Schema>),
      ...apiregistrationDefinitions,
    };
    definitions = {
      ...current,
      ...(readGenerated('removed-schemas.json') as Record<string, Schema>),
      ...derivedDefinitions(current),
    };
  }
  return definitions;
}

/** The registry over {@link schemaDefinitions}. */
export function schemaRegistry(): SchemaRegistry {
  registry ??= new SchemaRegistry(schemaDefinitions());
  return registry;
}

/** The protobufjs descriptor (JSON form) of all messages; read anew at each call. */
export function protobufDescriptor(): Record<string, unknown> {
  const descriptor = readGenerated('protobuf.json') as ProtobufNode;
  const io = descriptor.nested?.['k8s']?.nested?.['io']?.nested;
  if (io) io['kube_aggregator'] = structuredClone(apiregistrationMessages) as ProtobufNode;
  mergeMessages(descriptor, readGenerated('removed-protobuf.json') as ProtobufNode);
  addDerivedMessages(descriptor);
  return descriptor as Record<string, unknown>;
}
