import type { ConfigMap, Secret } from '@orrery/api';
import { resources } from '@orrery/api';
import type { ResourceRef } from '@orrery/api';
import { isNotFound } from '@orrery/apimachinery';
import type { KubeObject } from '@orrery/apimachinery';
import type { KubeClient } from '@orrery/client';
import type { ConfigReader } from './env.js';

/** Reads ConfigMaps and Secrets by name from the API; requests for one object under way are shared. */
export class ApiConfigReader implements ConfigReader {
  private readonly running = new Map<string, Promise<KubeObject | undefined>>();

  constructor(private readonly client: KubeClient) {}

  configMap(namespace: string, name: string): Promise<ConfigMap | undefined> {
    return this.read(resources.configmaps, namespace, name);
  }

  secret(namespace: string, name: string): Promise<Secret | undefined> {
    return this.read(resources.secrets, namespace, name);
  }

  private read<T extends KubeObject>(
    ref: ResourceRef<T>,
    namespace: string,
    name: string,
  ): Promise<T | undefined> {
    const key = `${ref.plural}/${namespace}/${name}`;
    const found = this.running.get(key) as Promise<T | undefined> | undefined;
    if (found) return found;
    const read = this.get(ref, namespace, name).finally(() => this.running.delete(key));
    this.running.set(key, read);
    return read;
  }

  private async get<T extends KubeObject>(
    ref: ResourceRef<T>,
    namespace: string,
    name: string,
  ): Promise<T | undefined> {
    try {
      return await this.client.resource(ref).get({ namespace, name });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
}
