// Frames of HTTP/2 and WebSocket, well formed or not.

/** A frame of HTTP/2. */
export function frame(type, flags, stream, payload = Buffer.alloc(0)) {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A masked frame of WebSocket. */
export function websocketFrame(opcode, payload, { length = payload.length } = {}) {
  const head =
    length < 126
      ? Buffer.from([0x80 | opcode, 0x80 | length])
      : Buffer.concat([Buffer.from([0x80 | opcode, 0xff]), big(length)]);
  return Buffer.concat([head, Buffer.alloc(4), payload]);
}

function big(length) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(length));
  return bytes;
}
