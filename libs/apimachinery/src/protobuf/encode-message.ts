import { Root } from 'protobufjs';
import type { INamespace, Type } from 'protobufjs';

/** Encodes plain objects (field names as in the descriptor) as one message of a protobufjs root in JSON form. */
export class MessageEncoder {
  private readonly type: Type;

  constructor(root: object, message: string) {
    this.type = Root.fromJSON(root as INamespace).lookupType(message);
  }

  encode(object: Record<string, unknown>): Buffer {
    return Buffer.from(this.type.encode(this.type.fromObject(object)).finish());
  }
}
