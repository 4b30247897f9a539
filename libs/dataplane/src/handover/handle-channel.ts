/**
 * Listening sockets passed from one process to another over a unix socket, as nginx and HAProxy do on a restart: both
 * hold the same socket, so that a connection which nobody has accepted yet is lost by neither's end. Written on Node's
 * pipe handles, since its public API passes handles only between a parent and its child (node lib/internal/child_process.js).
 */
import { rmSync } from 'node:fs';
import { WriteWrap, lastRead } from '../tcp/tcp-handle.js';
import type { HandleRequest, TcpHandle } from '../tcp/tcp-handle.js';
import type { UdpHandle } from '../udp/udp-handle.js';

/** A socket that listens, below Node's own classes. */
export type ListeningHandle = TcpHandle | UdpHandle;

/** The sockets of one frontend, by its text (`TCP address:port`). */
export interface OfferedHandle {
  readonly text: string;
  readonly handle: ListeningHandle;
}

interface PipeHandle {
  readonly fd: number;
  pendingHandle?: ListeningHandle;
  onread: (data?: ArrayBuffer) => void;
  onconnection: (status: number, client?: PipeHandle) => void;
  bind(path: string): number;
  listen(backlog: number): number;
  open(fd: number): number;
  connect(request: HandleRequest, path: string): number;
  readStart(): number;
  readStop(): number;
  writeUtf8String(request: HandleRequest, text: string, handle?: ListeningHandle): number;
  close(): void;
}

interface PipeBinding {
  readonly Pipe: new (type: number) => PipeHandle;
  readonly PipeConnectWrap: new () => HandleRequest;
  readonly constants: { readonly SERVER: number; readonly IPC: number };
}

// The casts are the boundary to what @types/node does not describe.
const internals = process as unknown as { binding(name: string): unknown };
const { Pipe, PipeConnectWrap, constants } = internals.binding('pipe_wrap') as PipeBinding;

const NEXT = '+';
const END = '.\n';

function write(pipe: PipeHandle, text: string, handle?: ListeningHandle): number {
  return pipe.writeUtf8String(new WriteWrap(), text, handle);
}

/**
 * Waits at `path` for one process and sends it these sockets, each when it asks for the next, so that few are under
 * way at once. They stay open here. Answers how to call it off; throws when the path cannot be had.
 */
export function offerHandles(path: string, offered: readonly OfferedHandle[]): () => void {
  const server = new Pipe(constants.SERVER);
  const error = server.bind(path) || server.listen(1);
  let channel: PipeHandle | undefined;
  let isOpen = true;
  const close = (): void => {
    if (!isOpen) return;
    isOpen = false;
    channel?.readStop();
    server.close();
    rmSync(path, { force: true });
  };
  if (error) {
    close();
    throw new Error(`handles cannot be offered on ${path}: ${error}`);
  }
  const left = offered.values();
  server.onconnection = (status, accepted) => {
    if (status !== 0 || !accepted || channel) return;
    // Only a pipe that was made for it passes handles: this one shares the accepted one's descriptor, which is left to
    // the end of this process, so that nothing else gets its number.
    const pipe = new Pipe(constants.IPC);
    channel = pipe;
    pipe.onread = () => {
      if (lastRead() <= 0) {
        close();
        return;
      }
      const next = left.next();
      if (next.done) write(pipe, END);
      else write(pipe, `${next.value.text}\n`, next.value.handle);
    };
    if (pipe.open(accepted.fd) || pipe.readStart()) close();
  };
  return close;
}

/** Takes what is offered at `path`; ends early, with what came, when the other process ends. */
export function takeHandles(path: string): Promise<readonly OfferedHandle[]> {
  return new Promise((resolve, reject) => {
    const taken: OfferedHandle[] = [];
    const pipe = new Pipe(constants.IPC);
    let text = '';
    let handle: ListeningHandle | undefined;
    const finish = (): void => {
      pipe.close();
      resolve(taken);
    };
    pipe.onread = (data) => {
      const count = lastRead();
      handle ??= pipe.pendingHandle;
      delete pipe.pendingHandle;
      if (count <= 0 || !data) {
        finish();
        return;
      }
      text += Buffer.from(data, 0, count).toString();
      if (text === END) finish();
      if (text === END || !text.endsWith('\n')) return;
      if (handle) taken.push({ text: text.slice(0, -1), handle });
      [text, handle] = ['', undefined];
      write(pipe, NEXT);
    };
    const request = new PipeConnectWrap();
    request.oncomplete = (status) => {
      if (status === 0 && pipe.readStart() === 0 && write(pipe, NEXT) === 0) return;
      pipe.close();
      reject(new Error(`no handles are offered on ${path}: ${status}`));
    };
    const error = pipe.connect(request, path);
    if (error) reject(new Error(`no handles are offered on ${path}: ${error}`));
  });
}
