/** Bytes of a request's line and headers together that a server takes (Go net/http:DefaultMaxHeaderBytes). */
export const MAX_HEADER_BYTES = 1024 * 1024;
