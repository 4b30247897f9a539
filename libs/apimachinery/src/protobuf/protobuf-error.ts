/** Bytes or an object that protobuf cannot carry; the boundary turns it into 400 BadRequest. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

export const MAX_MESSAGE_DEPTH = 100;
