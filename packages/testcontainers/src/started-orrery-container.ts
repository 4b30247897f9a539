import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConnectedCluster, OrreryError } from '@orrery/testing';
import type { AnyObject, ClusterFaults, ClusterView, Fork } from '@orrery/testing';
import { AbstractStartedContainer } from 'testcontainers';
import type { StartedTestContainer, StopOptions, StoppedTestContainer } from 'testcontainers';
import { credentialsOf, withServer } from './kubeconfig.js';

/** Of the API server in the container. */
export const API_PORT = 6443;

/** A cluster that runs in a container. */
export class StartedOrreryContainer extends AbstractStartedContainer {
  private readonly connected: ConnectedCluster;
  private folder: string | undefined;

  private constructor(
    started: StartedTestContainer,
    private readonly kubeconfig: string,
    server: string,
  ) {
    super(started);
    this.connected = new ConnectedCluster(server, credentialsOf(kubeconfig));
  }

  /** Reads the administrator's kubeconfig from the container. */
  static async of(started: StartedTestContainer, path: string): Promise<StartedOrreryContainer> {
    const { exitCode, output } = await started.exec(['cat', path]);
    if (exitCode !== 0) {
      await started.stop();
      throw new OrreryError(`the container has no ${path}: ${output.trim()}`);
    }
    const server = `https://${started.getHost()}:${started.getMappedPort(API_PORT)}`;
    return new StartedOrreryContainer(started, withServer(output, server), server);
  }

  /** https://HOST:PORT as this machine reaches it. */
  get server(): string {
    return this.connected.server;
  }

  /** Text of a kubeconfig of the administrator, for client libraries. */
  kubeConfig(): string {
    return this.kubeconfig;
  }

  /** Path of a file with it, for kubectl and Helm; it goes when the container is stopped. */
  kubeConfigPath(): string {
    this.folder ??= mkdtempSync(join(tmpdir(), 'orrery-kubeconfig-'));
    const path = join(this.folder, 'kubeconfig');
    writeFileSync(path, this.kubeconfig, { mode: 0o600 });
    return path;
  }

  /** A small client: get, list, create, apply, patch, delete, waitFor. */
  client(): ConnectedCluster {
    return this.connected;
  }

  /** Server-side apply of YAML of any number of documents, an object, or a list of objects. */
  apply(manifest: string | AnyObject | readonly AnyObject[]): Promise<AnyObject[]> {
    return this.connected.apply(manifest);
  }

  /** Faults of the API server, on purpose. */
  get faults(): ClusterFaults {
    return this.connected.faults;
  }

  /** The cluster as it was. */
  at(moment: string | number): ClusterView {
    return this.connected.at(moment);
  }

  /** A writable copy that the cluster never sees. */
  fork(name?: string, moment?: string | number): Promise<Fork> {
    return this.connected.fork(name, moment);
  }

  override stop(options?: Partial<StopOptions>): Promise<StoppedTestContainer> {
    this.connected.close();
    if (this.folder !== undefined) rmSync(this.folder, { recursive: true, force: true });
    return super.stop(options);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
