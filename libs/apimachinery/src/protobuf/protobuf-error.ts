/** Bytes or an object that protobuf cannot carry; the boundary turns it into 400 BadRequest. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

/** A whole envelope of a kind that has no message. */
export class UnknownMessageError extends ProtobufError {
  constructor(
    readonly apiVersion: string,
    readonly kind: string,
  ) {
    super(`no kind "${kind}" is registered for version "${apiVersion}" in protobuf`);
  }
}

export const MAX_MESSAGE_DEPTH = 100;
