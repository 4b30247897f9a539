/**
 * Node's TCP handles, one level below net.Socket: no stream state, no event emitters, reads into a buffer of ours. They
 * are what net.Socket itself is written on (node lib/net.js, lib/internal/stream_base_commons.js); tcp-handle.int-spec.ts
 * pins what is used here.
 */
/** A request object that libuv fills and calls back. */
export interface HandleRequest {
  oncomplete?: (this: HandleRequest, status: number) => void;
  owner?: unknown;
  /** Keeps what is being written alive. */
  data?: Uint8Array;
}

/** The part of node's TCP wrap that relaying needs. Numbers that are answered are 0 or a negated errno. */
export interface TcpHandle {
  owner?: unknown;
  /** Called after each read; a returned buffer takes the place of the one in use. */
  onread: (this: TcpHandle) => Uint8Array | undefined;
  onconnection: (this: TcpHandle, status: number, client?: TcpHandle) => void;
  bind(address: string, port: number, flags: number): number;
  bind6(address: string, port: number, flags: number): number;
  listen(backlog: number): number;
  connect(request: HandleRequest, address: string, port: number): number;
  connect6(request: HandleRequest, address: string, port: number): number;
  readStart(): number;
  readStop(): number;
  useUserBuffer(buffer: Uint8Array): number;
  writeBuffer(request: HandleRequest, data: Uint8Array): number;
  shutdown(request: HandleRequest): number;
  setNoDelay(on: boolean): number;
  getpeername(out: { address?: string; port?: number }): number;
  getsockname(out: { address?: string; port?: number }): number;
  close(): void;
  /** Closes with RST; refuses while a shutdown is under way. */
  reset(): number;
}

interface TcpBinding {
  readonly TCP: new (type: number) => TcpHandle;
  readonly TCPConnectWrap: new () => HandleRequest;
  readonly constants: { SOCKET: number; SERVER: number; UV_TCP_REUSEPORT?: number };
}

interface StreamBinding {
  readonly WriteWrap: new () => HandleRequest;
  readonly ShutdownWrap: new () => HandleRequest;
  readonly kReadBytesOrError: number;
  readonly kLastWriteWasAsync: number;
  readonly streamBaseState: Int32Array;
}

// The cast is the boundary to what @types/node does not describe.
const internals = process as unknown as { binding(name: string): unknown };
const tcp = internals.binding('tcp_wrap') as TcpBinding;
const stream = internals.binding('stream_wrap') as StreamBinding;

export const { WriteWrap, ShutdownWrap } = stream;
const { streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = stream;

/** Inside `onread` of any stream: bytes read, or a negated errno, UV_EOF at the end. */
export const lastRead = (): number => streamBaseState[kReadBytesOrError] as number;

/** After `writeBuffer`: whether part of the data waits for the peer, so that its memory is still in use. */
export const isWriteWaiting = (): boolean => streamBaseState[kLastWriteWasAsync] !== 0;

/** libuv's end of stream. */
export const UV_EOF = -4095;

export interface AcceptOptions {
  readonly backlog: number;
  readonly accept: (status: number, client?: TcpHandle) => void;
}

export interface ListenOptions extends AcceptOptions {
  readonly address: string;
  readonly port: number;
  /** Lets other processes of this user listen there too; the kernel spreads new connections over them. */
  readonly isShared: boolean;
}

/** Of a text that is an address of either family; node's isIPv6 takes a regular expression to it. */
const isSix = (address: string): boolean => address.includes(':');

/** A listening handle, or the negated errno. */
export function listenTcp(options: ListenOptions): TcpHandle | number {
  const handle = new tcp.TCP(tcp.constants.SERVER);
  const flags = options.isShared ? (tcp.constants.UV_TCP_REUSEPORT ?? 0) : 0;
  const { address, port } = options;
  const error =
    (isSix(address) ? handle.bind6(address, port, flags) : handle.bind(address, port, flags)) ||
    handle.listen(options.backlog);
  if (error) {
    handle.close();
    return error;
  }
  handle.onconnection = options.accept;
  return handle;
}

/** Accepts on a socket that another process listens on as well; 0 or a negated errno. */
export function acceptOn(handle: TcpHandle, { backlog, accept }: AcceptOptions): number {
  handle.onconnection = accept;
  return handle.listen(backlog);
}

/** Starts to connect; `done` gets 0 or a negated errno, and is not called when the answer is not 0. */
export function connectTcp(
  handle: TcpHandle,
  target: { readonly address: string; readonly port: number },
  done: (status: number) => void,
): number {
  const request = new tcp.TCPConnectWrap();
  request.oncomplete = done;
  return isSix(target.address)
    ? handle.connect6(request, target.address, target.port)
    : handle.connect(request, target.address, target.port);
}

export const newTcpHandle = (): TcpHandle => new tcp.TCP(tcp.constants.SOCKET);

/** Closes with RST, so that the peer cannot take what it got for the whole. */
export function resetTcp(handle: TcpHandle): void {
  if (handle.reset() !== 0) handle.close();
}
