import { protobufDescriptor, schemaRegistry } from '@orrery/api';
import { ProtobufCodec } from '@orrery/apimachinery';
import type { SchemaRegistry } from '@orrery/apimachinery';

/** The schemas of the built-in kinds, read when first needed. */
export const schemas = (): SchemaRegistry => schemaRegistry();

let codec: ProtobufCodec | undefined;

/** The protobuf codec of the built-in kinds, made when first needed. */
export function protobuf(): ProtobufCodec {
  codec ??= new ProtobufCodec(protobufDescriptor(), schemas());
  return codec;
}
